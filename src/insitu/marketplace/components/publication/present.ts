/** From a document to the form that could have made it, and from what is changed in the form to merge patches: pure. */
import { computeServiceOf, type Ddo, displayAmount, isObject, type Json, type JsonObject, mainOf } from 'insitu/domain'
import type { Token } from '../../elements/site.js'
import { describe, FREE_LOG_BYTES, type Versions } from './draft.js'
import { type Kind, type Offered, type PublicationState, typed } from './state.js'

const KINDS: Readonly<Record<string, Kind>> = { algorithm: 'algorithm', workflow: 'workflow' }
const LIMITED = 'output'

/** Return the form as a document fills it. What no field can show stays as it is in every version that the form makes. */
export function presentOf(ddo: Ddo, token: Token, offered: Offered): PublicationState {
  const [main, compute] = [mainOf(ddo) as JsonObject, computeOf(ddo)]
  const about = objectOf(ddo.service.find(({ type }) => type === 'metadata')?.attributes?.additionalInformation)
  const environment = objectOf(objectOf(compute?.['provider'])['environment'])
  const images = joined(environment['supportedContainers'], offered.images)
  const servers = joined(environment['supportedServers'], offered.servers)
  const price = String((compute ?? main)['price'] ?? '0')
  return {
    ...{ kind: KINDS[String(main['type'])] ?? 'data', heading: '', step: 'describe', token },
    ...{
      address: String(ddo.proof?.creator ?? '') as PublicationState['address'],
      gateway: '',
      gateways: [],
      wanted: '',
    },
    values: {
      ...{ name: textOf(main['name']), author: textOf(main['author']), license: textOf(main['license']) },
      ...{ description: textOf(about['description']), tags: listOf(about['tags'], ', ') },
      price: /^\d{1,78}$/.test(price) ? displayAmount(BigInt(price), token.decimals).replaceAll(',', '') : '',
      days: daysOf(compute?.['timeout']),
      ...rulesOf(objectOf(compute?.['policy'])),
      ...images.values('image'),
      ...servers.values('server'),
    },
    ...{ offered: { images: images.all, servers: servers.all }, files: [], scripts: [], folder: undefined, found: [] },
    ...{ problems: {}, isJudged: true, preview: undefined, document: undefined, prepared: undefined },
  }
}

/** What a changed form asks of an asset, in the form of `Desk.update`. */
export interface Asked {
  readonly metadata: JsonObject
  readonly services: readonly JsonObject[]
  /** What is wrong and was not wrong before, by the id of the field. */
  readonly problems: Readonly<Record<string, string>>
}

/**
 * Return what differs between two states of a form, as merge patches. Only that is asked for, so what no field shows stays.
 *
 * @param found - current versions of algorithms; those that the document names keep theirs as long as `pinned` says so
 */
export function askedOf(ddo: Ddo, before: PublicationState, after: PublicationState, found: Versions): Asked {
  const compute = computeOf(ddo)
  const policy = objectOf(compute?.['policy'])
  const pinned = pinsOf(policy)
  const was = describe(before, { ...found, ...pinned })
  const is = describe(after, typed(after, 'pinned') === 'no' ? { ...pinned, ...found } : { ...found, ...pinned })
  const { price: _price, ...main } = objectOf(patchOf(was.attributes['main'], is.attributes['main']))
  const about = patchOf(was.attributes['additionalInformation'], is.attributes['additionalInformation'])
  const { policy: rules, ...offer } = objectOf(patchOf(mainIn(was.services), mainIn(is.services)))
  const changed = objectOf(rules)
  const patch = {
    ...offer,
    ...(rules !== undefined && { policy: rulesPatch(changed, policy, before, after, is.services) }),
  }
  const problems = Object.entries(is.problems).filter(([field, problem]) => was.problems[field] !== problem)
  return {
    metadata: {
      main,
      ...(about !== undefined && { additionalInformation: about }),
    },
    services: compute && Object.keys(patch).length > 0 ? [{ type: 'compute', attributes: { main: patch } }] : [],
    problems: Object.fromEntries(problems),
  }
}

/** Return the compute service's `main`; undefined if the asset offers no compute. */
export function computeOf(ddo: Ddo): JsonObject | undefined {
  if (!ddo.service.some(({ type }) => type === 'compute')) return undefined
  return objectOf(objectOf(computeServiceOf(ddo).json['attributes'])['main'])
}

/** The form writes a limit of the log and one way of naming algorithms; another one that is there may not stay beside it. */
function rulesPatch(
  { output, ...rules }: JsonObject,
  policy: JsonObject,
  before: PublicationState,
  after: PublicationState,
  services: readonly JsonObject[],
): JsonObject {
  const { maxLogBytes: _written, ...limits } = objectOf(output)
  const most = Number(objectOf(policy[LIMITED])['maxLogBytes'] ?? Infinity)
  const isFree = typed(after, 'failures') === 'free' && typed(before, 'failures') !== 'free'
  const limited = { ...limits, ...(isFree && most > FREE_LOG_BYTES && { maxLogBytes: FREE_LOG_BYTES }) }
  const said = objectOf(mainIn(services)['policy'])
  const isOther = typed(after, 'run') !== typed(before, 'run')
  return {
    ...rules,
    ...(isOther && { algorithms: said['algorithms'] ?? null, publishers: said['publishers'] ?? null }),
    ...(Object.keys(limited).length > 0 && { output: limited }),
  }
}

function rulesOf(policy: JsonObject): Readonly<Record<string, string>> {
  const { algorithms, publishers, consumers = 'any', review = 'none' } = policy
  const output = objectOf(policy[LIMITED])
  const trusts = Array.isArray(publishers) && publishers.length > 0
  const run = Array.isArray(algorithms) ? 'named' : trusts ? 'publishers' : 'any'
  return {
    run,
    algorithms: Object.keys(pinsOf(policy)).join('\n'),
    publishers: listOf(publishers, '\n'),
    ...{
      maxBytes: sizeOf(output['maxBytes']),
      maxFiles: textOf(output['maxFiles']),
      types: listOf(output['types'], ', '),
    },
    logs: textOf(policy['logs'] ?? (review === 'none' ? 'live' : 'after_review')),
    maxExecutions: textOf(policy['maxExecutions']),
    consumers: Array.isArray(consumers) ? 'listed' : textOf(consumers),
    accounts: listOf(consumers, '\n'),
    use: textOf(policy['use']),
    failures: textOf(policy['failures'] ?? 'charged'),
    revisions: textOf(policy['revisions'] ?? 'none'),
    parameters: listOf(policy['parameters'], ', '),
  }
}

/** The algorithms that a policy names: DID → checksum. */
function pinsOf({ algorithms }: JsonObject): Readonly<Record<string, string>> {
  const named = Array.isArray(algorithms) ? algorithms.map(objectOf) : []
  return Object.fromEntries(named.map(({ did, checksum }) => [textOf(did), textOf(checksum)]))
}

/** Return the merge patch from one value to another (RFC 7396): what is not there any more becomes null. */
function patchOf(before: Json | undefined, after: Json | undefined): Json | undefined {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined
  if (!isObject(before) || !isObject(after)) return after ?? null
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changed = names.map(name => [name, patchOf(before[name], after[name])] as const)
  return Object.fromEntries(changed.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

/** What a document has of something that a gateway offers comes first, and is ticked. */
function joined(had: Json | undefined, offered: readonly JsonObject[]) {
  const present = (Array.isArray(had) ? had : []).filter((one): one is JsonObject => isObject(one))
  const known = new Set(present.map(one => JSON.stringify(one)))
  const all = [...present, ...offered.filter(one => !known.has(JSON.stringify(one)))]
  const values = (field: string) =>
    Object.fromEntries(all.slice(present.length).map((_, at) => [`${field}${present.length + at}`, 'no']))
  return { all, values }
}

function mainIn([service]: readonly JsonObject[]): JsonObject {
  return objectOf(objectOf(service?.['attributes'])['main'])
}

function objectOf(value: unknown): JsonObject {
  return isObject(value as Json) ? (value as JsonObject) : {}
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : ''
}

function listOf(value: Json | undefined, between: string): string {
  return Array.isArray(value) ? value.map(textOf).join(between) : ''
}

function daysOf(timeout: Json | undefined): string {
  const days = Number(timeout) / 86_400
  return Number.isInteger(days) ? String(days) : ''
}

function sizeOf(value: Json | undefined): string {
  const [count, text] = [Number(value), textOf(value)]
  return count > 0 && count % 1000 === 0 ? `${count / 1000} kB` : text
}
