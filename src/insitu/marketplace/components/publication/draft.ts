/** From a filled form to the description of an asset, with what is wrong at each field; only `offeredAt` is not pure. */
import type { AccountClient } from 'insitu'
import {
  amountOfDisplay,
  digestOf,
  InsituError,
  isDid,
  isInsituError,
  isObject,
  type JsonObject,
  mediaType,
  POLICY_VERSION,
  parseBytes,
  readAddress,
} from 'insitu/domain'
import { type Draft, type Kind, type Offered, type PublicationState, typed } from './state.js'

/** The most log text that is written, and the most with which failures can be free. */
const LOG_BYTES = 65_536
export const FREE_LOG_BYTES = 16_384

/** What would be published. */
export interface Described {
  readonly attributes: JsonObject
  readonly services: readonly JsonObject[]
  readonly problems: Readonly<Record<string, string>>
}

/** DID → on-chain checksum of its current version, as far as it was looked up; empty if there is none. */
export type Versions = Readonly<Record<string, string>>

/** Return what the form says. What cannot be read is left out, and a problem says so. */
export function describe(state: PublicationState, versions: Versions): Described {
  const problems: Record<string, string> = {}
  const read = <T>(field: string, reader: (text: string) => T): T | undefined => {
    try {
      return reader(typed(state, field).trim())
    } catch (error) {
      if (!isInsituError(error)) throw error
      problems[field] = error.detail
      return undefined
    }
  }
  const form: Form = { state, versions, read, problems }
  const main = { ...common(state), ...MAINS[state.kind](form) }
  const additional = { description: typed(state, 'description'), tags: partsOf(typed(state, 'tags')) }
  const services = state.kind === 'data' ? [offerOf(form, main)] : []
  return { attributes: { main, additionalInformation: additional }, services, problems }
}

interface Form {
  readonly state: PublicationState
  readonly versions: Versions
  readonly read: <T>(field: string, reader: (text: string) => T) => T | undefined
  readonly problems: Record<string, string>
}

const MAINS: Readonly<Record<Kind, (form: Form) => JsonObject>> = {
  data: dataMain,
  algorithm: algorithmMain,
  workflow: workflowMain,
}
const TYPES = { data: 'dataset', algorithm: 'algorithm', workflow: 'workflow' } as const

function common(state: PublicationState): JsonObject {
  const author = typed(state, 'author').trim() || state.address
  const [name, license] = [typed(state, 'name').trim(), typed(state, 'license').trim()]
  return { name, type: TYPES[state.kind], author, license, price: '0' }
}

function dataMain({ state, read, problems }: Form): JsonObject {
  if (state.files.length === 0) problems['files'] = 'choose at least one file or folder'
  if (typed(state, 'price').trim() === '') problems['price'] = 'say a price; 0 is one'
  const price = read('price', text => amountOfDisplay(text || '0', state.token.decimals)) ?? 0n
  const files = state.files.map(({ url, name, size }, index) => ({
    ...{ index, url, name, contentType: mediaType(name) },
    ...(size !== undefined && { contentLength: String(size) }),
  }))
  return { price: String(price), files }
}

function offerOf(form: Form, { price }: JsonObject): JsonObject {
  const { state, read, problems } = form
  const timeout = 86_400 * (read('days', positive) ?? 1)
  const environment = {
    cluster: { type: 'insitu', url: '' },
    supportedContainers: state.offered.images.filter((_, at) => isOffered(state, `image${at}`)),
    supportedServers: state.offered.servers.filter((_, at) => isOffered(state, `server${at}`)),
  }
  if (environment.supportedContainers.length === 0) problems['images'] = 'allow at least one image'
  if (environment.supportedServers.length === 0) problems['servers'] = 'offer at least one server'
  const provider = { type: 'insitu', description: '', environment }
  return { type: 'compute', attributes: { main: { price: price ?? '0', timeout, provider, policy: policyOf(form) } } }
}

function policyOf({ state, versions, read, problems }: Form): JsonObject {
  const value = (field: string) => typed(state, field)
  const listed = () => namedOf(value('algorithms'), versions, problems)
  const run = {
    any: () => ({ algorithms: 'any' }),
    named: () => ({ algorithms: listed() }),
    publishers: () => ({ publishers: read('publishers', accounts) ?? [] }),
  }[value('run')]
  const maxBytes = Number(read('maxBytes', parseBytes) ?? 0n)
  const types = partsOf(value('types'))
  const most = value('failures') === 'free' ? FREE_LOG_BYTES : LOG_BYTES
  return {
    version: POLICY_VERSION,
    ...run?.(),
    output: {
      ...{ maxBytes, maxFiles: read('maxFiles', positive) ?? 1, maxLogBytes: Math.min(maxBytes, most) },
      ...(types.length > 0 && { types }),
    },
    ...{ review: 'none', logs: value('logs'), maxExecutions: read('maxExecutions', positive) ?? 1 },
    consumers: value('consumers') === 'any' ? 'any' : (read('accounts', accounts) ?? []),
    ...{ revisions: value('revisions'), failures: value('failures'), data: 'newest' },
    parameters: partsOf(value('parameters')),
    ...(value('use').trim() && { use: value('use').trim() }),
  }
}

function algorithmMain({ state, problems }: Form): JsonObject {
  if (state.scripts.length === 0) problems['script'] = 'choose at least one file'
  const image = state.offered.images.find(one => digestOf(one as never) === typed(state, 'image'))
  const entrypoint = typed(state, 'entrypoint').trim()
  if (entrypoint === '') problems['entrypoint'] = 'say how it is started, for example python3 count.py'
  const algorithm = { language: '', format: 'docker-image', version: '1', entrypoint }
  return { algorithm: image ? { ...algorithm, requirements: { container: image } } : algorithm }
}

function workflowMain({ state, versions, problems }: Form): JsonObject {
  const stages = stageNumbers(state).map(index => {
    const value = (name: string) => typed(state, `stage${index}.${name}`).trim()
    const id = value('algorithm')
    const checksum = isDid(id) ? versions[id] : undefined
    if (!isDid(id)) problems[`stage${index}.algorithm`] = 'name an algorithm by its DID'
    else if (checksum === '') problems[`stage${index}.algorithm`] = 'no algorithm is registered under this DID'
    const lines = linesOf(value('inputs'))
    if (lines.length === 0) problems[`stage${index}.inputs`] = 'name at least one data set, or an earlier stage'
    const input = lines.map((line, at) => {
      const earlier = /^stage ([0-9]{1,2})$/i.exec(line)?.[1]
      const isEarlier = earlier !== undefined && Number(earlier) < index
      if (!isDid(line) && !isEarlier) problems[`stage${index}.inputs`] = `line ${at + 1} is no DID and no earlier stage`
      return isEarlier ? { index: at, previousStage: Number(earlier) } : { index: at, id: line }
    })
    const chosen = state.offered.images.find(one => digestOf(one as never) === value('image'))
    const container = chosen ?? state.offered.images[0] ?? {}
    const requirements = { serverInstances: 1, container }
    const transformation = { id, ...(checksum && { checksum }) }
    return { index, stageType: value('name'), requirements, input, transformation, output: {} }
  })
  return { files: [], workflow: { stages } }
}

/** Return the numbers of the stages. */
export function stageNumbers(draft: Pick<Draft, 'values'>): readonly number[] {
  return Array.from({ length: Math.min(Number(typed(draft, 'stages')) || 1, 20) }, (_, at) => at)
}

/** Return the DIDs whose current versions a description needs. */
export function neededVersions(state: PublicationState): readonly string[] {
  const stages = stageNumbers(state).map(at => typed(state, `stage${at}.algorithm`).trim())
  const named = { data: linesOf(typed(state, 'algorithms')), algorithm: [], workflow: stages }[state.kind]
  return [...new Set(named.filter(isDid))].slice(0, 100)
}

function namedOf(text: string, versions: Versions, problems: Record<string, string>): JsonObject[] {
  const dids = linesOf(text)
  const wrong = dids.find(did => !isDid(did) || versions[did] === '')
  if (dids.length === 0) problems['algorithms'] = 'name at least one algorithm, or nothing can run'
  else if (wrong !== undefined) problems['algorithms'] = `nothing is registered as ${wrong.slice(0, 80)}`
  return dids.map(did => ({ did, checksum: versions[did] ?? '' }))
}

/** Return whether an image or a server is offered: all are, until a person takes one away. */
export function isOffered(draft: Pick<Draft, 'values'>, field: string): boolean {
  return typed(draft, field) !== 'no'
}

function accounts(text: string): string[] {
  return linesOf(text).map(readAddress)
}

function positive(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text)
  throw new InsituError('InvalidQuantity', `${JSON.stringify(text.slice(0, 60))} is not a whole number from 1 on`)
}

function linesOf(text: string): string[] {
  return text.split('\n').flatMap(line => line.trim() || [])
}

function partsOf(text: string): string[] {
  return text.split(',').flatMap(part => part.trim() || [])
}

const PLACES: readonly (readonly [RegExp, string])[] = [
  [/\/policy\/output\/(types|maxBytes|maxFiles)/, '$1'],
  [/\/policy\/(publishers|algorithms|use|parameters|failures|revisions|logs|maxExecutions)/, '$1'],
  [/\/policy\/consumers/, 'accounts'],
  [/\/policy\/output\/maxLogBytes/, 'failures'],
  [/\/workflow\/stages\/(\d+)\/transformation/, 'stage$1.algorithm'],
  [/\/workflow\/stages\/(\d+)\/requirements/, 'stage$1.image'],
  [/\/workflow\/stages\/(\d+)/, 'stage$1.inputs'],
  [/\/algorithm\/entrypoint/, 'entrypoint'],
  [/\/main\/(name|author|license|price|files)/, '$1'],
  [/\/supportedServers/, 'servers'],
  [/\/supportedContainers/, 'images'],
  [/\/timeout/, 'days'],
]

/** Return the id of the field that a place of a document comes from. */
export function fieldOf(pointer: string | undefined): string {
  for (const [pattern, field] of PLACES) {
    const found = pattern.exec(pointer ?? '')
    if (found !== null) return field.replace('$1', found[1] ?? '')
  }
  return 'form'
}

const anything = (value: unknown) => (isObject(value as never) ? (value as JsonObject) : {})

/** Return the images and servers that the gateway of a client offers. Throws `PeerUnavailable`. */
export async function offeredAt(client: AccountClient, signal: AbortSignal | undefined): Promise<Offered> {
  const { http, url } = client.parts
  const info = await http.read(anything, 'GET', `${url}/api/v1/gateway/services`, { signal })
  return { images: objectsOf(info['supportedContainers']), servers: objectsOf(info['supportedServers']) }
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one): one is JsonObject => isObject(one)) : []
}
