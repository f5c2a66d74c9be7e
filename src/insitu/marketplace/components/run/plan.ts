/** From a filled form to a workflow: pure. */
import type { ResolvedAsset } from 'insitu'
import {
  type Address,
  type ComputeService,
  type Container,
  canonicalJson,
  computeServiceOf,
  digestOf,
  digitsOf,
  type EffectivePolicy,
  effectivePolicy,
  isObject,
  type Json,
  type JsonObject,
  mainOf,
  type Parameters,
  type Policy,
  readComputeMain,
  readComputeService,
  type Scalar,
  type Server,
  serversOf,
  sha256,
} from 'insitu/domain'
import { nameOf } from '../../elements/words.js'

/** A data set as its verified document has it. */
export interface DataSet {
  readonly did: string
  readonly name: string
  readonly owner: Address
  readonly service: ComputeService
  readonly policy: Policy
  readonly endpoint: string
}

/** A script that the person chose. */
export interface Script {
  readonly name: string
  readonly content: Uint8Array
}

/** An algorithm or a workflow that can be chosen; its name is a claim. */
export interface Offer {
  readonly did: string
  readonly name: string
  readonly isOwn: boolean
}

/** What the person has filled in. */
export interface Form {
  readonly what: 'workflow' | 'algorithm' | 'script'
  /** DID of the workflow, or of the algorithm. */
  readonly workflow: string
  readonly algorithm: string
  readonly script?: Script | undefined
  readonly entrypoint: string
  /** Digest of the image for a script or algorithm; empty for the first one. */
  readonly image: string
  /** Empty for the cheapest one that is large enough. */
  readonly server: string
  /** `stage name` → what was typed. */
  readonly parameters: Readonly<Record<string, string>>
}

/** What would be published and run. */
export interface Plan {
  /** The published workflow, or what is to be published. */
  readonly workflowDid?: string
  readonly described?: JsonObject
  readonly name: string
  /** The algorithm that is published with the workflow. */
  readonly algorithm?: { readonly attributes: JsonObject; readonly contents: Readonly<Record<string, Uint8Array>> }
}

/** A version of an algorithm, as a workflow pins it. */
export interface Pinned {
  readonly did: string
  readonly checksum: string
  readonly name: string
  readonly container?: JsonObject | undefined
}

const NO_RULES = readComputeMain({ policy: {} }).policy as Policy

/** Read a data set. Throws `NoComputeService`, `InvalidDocument`. */
export function dataSetOf({ ddo, record }: ResolvedAsset): DataSet {
  const entry = computeServiceOf(ddo, undefined)
  const service = readComputeService(entry)
  return {
    did: record.did,
    name: nameOf(mainOf(ddo)['name'], record.did),
    owner: record.owner,
    service,
    policy: service.policy ?? NO_RULES,
    endpoint: entry.serviceEndpoint ?? '',
  }
}

/** Return the rules that hold for a run on all these data sets. */
export function rulesOf(inputs: readonly DataSet[]): EffectivePolicy {
  return effectivePolicy(inputs.map(({ did, policy: rules }) => ({ did, policy: rules })))
}

/** Return the images that every data set supports. */
export function imagesOf(inputs: readonly DataSet[]): readonly Container[] {
  const [first, ...others] = inputs.map(input => input.service.provider.environment.supportedContainers)
  const isThere = (image: Container) => (offered: readonly Container[]) =>
    offered.some(one => one.image === image.image && digestOf(one) === digestOf(image))
  return (first ?? []).filter(image => digestOf(image) !== undefined && others.every(isThere(image)))
}

/** Return the servers that every data set offers. */
export function commonServers(inputs: readonly DataSet[]): readonly Server[] {
  const [first, ...others] = inputs.map(input => serversOf(input.service))
  return (first ?? []).filter(server => others.every(offered => offered.some(one => one.serverId === server.serverId)))
}

/** Return what would run, or undefined while something is missing. */
export function planOf(
  form: Form,
  inputs: readonly DataSet[],
  pinned: Pinned | undefined,
  author: Address,
): Plan | undefined {
  if (form.what === 'workflow') return form.workflow ? { workflowDid: form.workflow, name: '' } : undefined
  if (form.what === 'algorithm') {
    if (pinned === undefined || pinned.did !== form.algorithm) return undefined
    const transformation = { id: pinned.did, checksum: pinned.checksum }
    return { described: described(form, inputs, transformation, pinned.container), name: pinned.name }
  }
  const { script, entrypoint } = form
  if (script === undefined || entrypoint.trim() === '') return undefined
  const algorithm = { language: '', format: 'docker-image', version: '1', entrypoint: entrypoint.trim() }
  const main = { name: script.name, type: 'algorithm', author, license: 'No License Specified', price: '0', algorithm }
  const made = { attributes: { main, additionalInformation: {} }, contents: { [script.name]: script.content } }
  return { described: described(form, inputs, {}), name: script.name, algorithm: made }
}

function described(form: Form, inputs: readonly DataSet[], transformation: JsonObject, own?: JsonObject): JsonObject {
  const images = imagesOf(inputs)
  const image = images.find(one => digestOf(one) === form.image) ?? images[0]
  const container = own ?? { image: image?.image ?? '', tag: image?.tag ?? '', checksum: image?.checksum ?? '' }
  const requirements = { serverInstances: 1, container, ...(form.server && { serverId: form.server }) }
  const input = inputs.map(({ did }, index) => ({ index, id: did }))
  return { stages: [{ index: 0, stageType: '', requirements, input, transformation, output: {} }] }
}

/** Return the metadata of the workflow that is published, with the algorithm in its exact version. */
export function workflowMain(
  plan: Plan,
  pinned: Pick<Pinned, 'did' | 'checksum'> | undefined,
  author: string,
): JsonObject {
  const { stages } = plan.described as { readonly stages: readonly JsonObject[] }
  const transformation = pinned && { id: pinned.did, checksum: pinned.checksum }
  const workflow = { stages: stages.map(stage => ({ ...stage, ...(transformation && { transformation }) })) }
  const main = {
    name: plan.name,
    type: 'workflow',
    author,
    license: 'No License Specified',
    price: '0',
    files: [],
    workflow,
  }
  return { main, additionalInformation: {} }
}

/** Return what tells this plan from every other one: the seed of a purchase is kept for it alone. */
export function digestOfPlan(plan: Plan, account: string): string {
  const contents = Object.entries(plan.algorithm?.contents ?? {}).map(([name, content]) => [
    name,
    digitsOf(sha256(content)),
  ])
  const named = [account, plan.workflowDid ?? '', plan.described ?? {}, plan.algorithm?.attributes ?? {}, contents]
  return digitsOf(sha256(canonicalJson(named as Json)))
}

/** Return the parameters that were typed: numbers and flags as such, anything else as text. */
export function parametersOf(form: Form): Parameters {
  const stages: Record<string, Record<string, Scalar>> = {}
  for (const [place, typed] of Object.entries(form.parameters)) {
    const [stage = '', name = ''] = place.split(' ')
    if (typed !== '') stages[stage] = { ...stages[stage], [name]: scalarOf(typed) }
  }
  return stages
}

function scalarOf(typed: string): Scalar {
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(typed) && Number.isFinite(Number(typed))) return Number(typed)
  return typed === 'true' ? true : typed === 'false' ? false : typed
}

/** Return the data sets that a document of the catalogue says a workflow reads; nothing of it is verified. */
export function claimedInputs(document: JsonObject): readonly string[] {
  const main = mainIn(document)
  const stages =
    isObject(main['workflow']) && Array.isArray(main['workflow']['stages']) ? main['workflow']['stages'] : []
  const inputs = stages.flatMap(stage => (isObject(stage) && Array.isArray(stage['input']) ? stage['input'] : []))
  return inputs.flatMap(input => (isObject(input) && typeof input['id'] === 'string' ? [input['id']] : []))
}

/** Return `main` of the metadata in a document of the catalogue. */
export function mainIn(document: JsonObject): JsonObject {
  const services: readonly Json[] = Array.isArray(document['service']) ? document['service'] : []
  const metadata = services.find(service => isObject(service) && service['type'] === 'metadata')
  const attributes = isObject(metadata as Json) ? (metadata as JsonObject)['attributes'] : undefined
  return isObject(attributes) && isObject(attributes['main']) ? attributes['main'] : {}
}
