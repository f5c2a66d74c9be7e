import * as errors from '../api/errors.gen.js'
import type { Scalar } from '../domain/algorithm.js'
import { isObject, type JsonObject } from '../domain/canonical.js'
import { type Ddo, mainOf } from '../domain/ddo.js'
import { readAgreementId, sameAddress } from '../domain/ids.js'
import { requestVersions, type SignedRequest } from '../domain/registry-requests.js'
import { workflowOf } from '../domain/workflow.js'
import { InsituError } from '../errors.js'
import type { PreparedAsset, Publisher } from '../publish.js'
import { type CallControl, onlySignal } from './account.js'
import type { AccountClient } from './account-client.js'
import { type Contents, describeContents, digestOfContents, entrypointOf } from './algorithm-files.js'
import type { UnsignedDdo } from './assembly.js'
import { Catalogue } from './catalogue.js'
import type { Execution } from './execution.js'
import { gatewayUrl } from './gateway.js'
import { patchMetadata, reviseServices, sameServices } from './merge-patch.js'
import { NewVersions, publicFiles } from './new-versions.js'
import { gatewayVerdict, requireAllowed } from './quotes.js'
import type { ResolvedAsset } from './resolver.js'

/** A corrected algorithm. */
export interface AlgorithmFiles {
  readonly name: string
  readonly contents: Contents
  /** How it is started, like `python3 count.py`; may be left out for one script. */
  readonly entrypoint?: string | undefined
}

/** How a bought workflow is run with another algorithm. */
export interface ReviseOptions extends CallControl {
  /** Replaces that of the stage; left out, it stays. */
  readonly configuration?: Readonly<Record<string, Scalar>> | undefined
}

/** The member of `additionalInformation` by which a version is found again. */
const DIGEST = 'contents'

/** The workflow as it shall run: what changes, and the algorithm whose next version it needs, if it is ours. */
interface Plan {
  readonly workflow: ResolvedAsset
  readonly described: JsonObject
  readonly code?: AlgorithmFiles | undefined
  readonly own?: ResolvedAsset | undefined
}

/** Runs other algorithms in what was bought; nothing more is paid (ADR 0124, ADR 0139). */
export class Revisions {
  readonly #client: AccountClient
  readonly #publisher: Publisher
  readonly #versions: NewVersions

  constructor(client: AccountClient, publisher: Publisher) {
    this.#client = client
    this.#publisher = publisher
    this.#versions = new NewVersions(client)
  }

  /** See `Publisher.revise`. */
  async revise(agreement: string, algorithm: string | AlgorithmFiles, options: ReviseOptions): Promise<Execution> {
    const id = readAgreementId(agreement)
    options.onProgress?.({ step: 'verify', message: 'The gateway is asked whether the revision may run.' })
    await this.#client.parts.trust(options.signal)
    const { workflowDid } = await this.#client.agreements.show(id, onlySignal(options))
    const plan = await this.#plan(workflowDid, algorithm, options)
    await this.#requireAllowed(id, plan.described, options)
    const workflowChecksum = await this.#publish(plan, options)
    const { signal, onProgress } = options
    return this.#client.execute(id, { signal, onProgress, workflowChecksum })
  }

  /** Read what is to run in the only stage of a workflow. Nothing is signed, uploaded or published. */
  async #plan(workflowDid: string, algorithm: string | AlgorithmFiles, options: ReviseOptions): Promise<Plan> {
    const { resolver } = this.#client.parts
    const workflow = await resolver.resolve(workflowDid, options.signal)
    const [stage, ...others] = workflowOf(workflow.ddo).stages
    if (stage === undefined || others.length > 0) {
      const detail = 'the workflow has several stages: change it with the desk, whose update names them'
      throw new InsituError(errors.InvalidRequest, detail)
    }
    const { configuration } = options
    const described = withStage(workflow.ddo, { ...(configuration && { configuration: { ...configuration } }) })
    if (typeof algorithm === 'string') {
      const { ddo, record } = await resolver.resolve(algorithm, options.signal)
      return { workflow, described: pinning(described, ddo.id ?? '', record.checksum) }
    }
    const code = { ...algorithm, entrypoint: algorithm.entrypoint ?? entrypointOf(algorithm.contents) }
    const own = await this.#own(stage.transformation.id, options)
    if (own !== undefined && isIn(own, code)) {
      return { workflow, described: pinning(described, own.record.did, own.record.checksum) }
    }
    return { workflow, described: pinning(described), code, own }
  }

  /** Refuse a workflow that may not run as a revision under an agreement. */
  async #requireAllowed(agreement: string, workflow: JsonObject, { signal }: CallControl): Promise<void> {
    const { gatewayAt } = this.#client.parts
    const gateway = gatewayAt(gatewayUrl(await this.#client.agreements.endpoint(agreement, signal)))
    const question = { consumer: this.#client.account, workflow, serviceAgreementId: agreement }
    // Nothing of a revision is paid, so there is no quote to verify.
    const { allowed, reasons } = await gateway.open(gatewayVerdict, '/check', question, signal)
    if (!allowed) requireAllowed({ allowed, reasons })
  }

  /** Register what is new, and return the on-chain checksum of the workflow's version. */
  async #publish({ workflow, described, code, own }: Plan, options: ReviseOptions): Promise<string> {
    if (code !== undefined && own !== undefined) return this.#publishBoth(workflow, described, code, own, options)
    let wanted = described
    if (code !== undefined) {
      const prepared: PreparedAsset = await this.#publisher.prepareAlgorithm(
        attributesOf(code, this.#client),
        code.contents,
        options,
      )
      const [published] = await this.#publisher.registerAll([prepared], options)
      wanted = pinning(described, prepared.did, published?.record.checksum ?? prepared.checksum)
    }
    const entries = reviseServices(workflow.ddo, { main: { workflow: wanted } })
    if (sameServices(entries, servicesOf(workflow.ddo))) return workflow.record.checksum
    const waiting = await this.#versions.findWaiting(workflow.record.did, options)
    const isSame = waiting !== undefined && sameServices(servicesOfJson(waiting.unsigned.json), entries)
    const next = isSame ? waiting.unsigned : await this.#versions.propose(workflow.ddo, entries)
    await this.#versions.register([next], options, isSame ? waiting.request : undefined)
    return next.checksum
  }

  /**
   * Register the next versions of algorithm and workflow with one signature. The algorithm's document goes first: with its
   * time the workflow's can be made again, so an interrupted call can be finished.
   */
  async #publishBoth(
    workflow: ResolvedAsset,
    described: JsonObject,
    code: AlgorithmFiles,
    own: ResolvedAsset,
    options: ReviseOptions,
  ): Promise<string> {
    const { did } = own.record
    const waiting = await this.#versions.findWaiting(did, options)
    const isSame = waiting !== undefined && isInJson(waiting.unsigned.json, did, code)
    const algorithm = isSame ? waiting.unsigned : await this.#nextAlgorithm(own, code, options)
    const entries = reviseServices(workflow.ddo, { main: { workflow: pinning(described, did, algorithm.checksum) } })
    const next = await this.#versions.propose(workflow.ddo, entries, String(algorithm.json['updated']))
    const request = isSame && registers(waiting.request, next) ? waiting.request : undefined
    await this.#versions.register([algorithm, next], options, request)
    return next.checksum
  }

  async #nextAlgorithm(own: ResolvedAsset, code: AlgorithmFiles, options: ReviseOptions): Promise<UnsignedDdo> {
    const { did } = own.record
    const files: JsonObject[] = []
    for (const file of describeContents(code.contents)) {
      const { url } = await this.#publisher.upload(code.contents[file.name] ?? new Uint8Array(), options)
      files.push({ ...file, url })
    }
    const encryptedFiles = await this.#versions.seal(did, files, options)
    const main = { files: publicFiles(files), algorithm: { entrypoint: code.entrypoint ?? null } }
    const additionalInformation = { [DIGEST]: digestOfContents(did, code.contents) }
    const entries = patchMetadata(servicesOf(own.ddo), { main, additionalInformation, encryptedFiles })
    return this.#versions.propose(own.ddo, entries)
  }

  /** Return an algorithm that this account made, owns and has not retired, in its present version. */
  async #own(did: string | undefined, { signal }: CallControl): Promise<ResolvedAsset | undefined> {
    if (did === undefined) return undefined
    const { registry, resolver } = this.#client.parts
    const record = await registry.findRecord(did, signal)
    if (record === undefined || !sameAddress(record.owner, this.#client.account)) return undefined
    const asset = await resolver.resolve(did, signal)
    if (!sameAddress(asset.creator, asset.record.owner)) return undefined
    const { state } = await new Catalogue(this.#client).status(did, { signal })
    return state === 'retired' ? undefined : asset
  }
}

/** Return `main.workflow` with members of its only stage replaced. */
function withStage(ddo: Ddo, change: JsonObject): JsonObject {
  const described = mainOf(ddo)['workflow'] as JsonObject
  const [stage] = described['stages'] as readonly JsonObject[]
  return { ...described, stages: [{ ...stage, ...change }] }
}

/** Return `main.workflow` with a version of an algorithm, or with one that is not published. */
function pinning(described: JsonObject, did?: string, checksum?: string): JsonObject {
  const [stage] = described['stages'] as readonly JsonObject[]
  const transformation = did === undefined || checksum === undefined ? {} : { id: did, checksum }
  return { ...described, stages: [{ ...stage, transformation }] }
}

/** Return whether a document describes the same files and the same start, which names a single file. */
function isIn({ ddo, record }: ResolvedAsset, code: AlgorithmFiles): boolean {
  return isInJson(ddo.json, record.did, code)
}

function isInJson(json: JsonObject, did: string, { contents, entrypoint }: AlgorithmFiles): boolean {
  const metadata = servicesOfJson(json).find(entry => entry['type'] === 'metadata')
  const attributes = metadata?.['attributes'] as JsonObject
  const main = attributes['main'] as JsonObject
  const ours = describeContents(contents).map(file => file.checksum)
  const files = (main['files'] as readonly JsonObject[] | undefined) ?? []
  if (files.map(file => file['checksum']).join() !== ours.join()) return false
  if ((main['algorithm'] as JsonObject)['entrypoint'] !== entrypoint) return false
  const told = attributes['additionalInformation']
  return ours.length === 1 || (isObject(told) && told[DIGEST] === digestOfContents(did, contents))
}

function registers(request: SignedRequest, { did, checksum }: UnsignedDdo): boolean {
  return requestVersions(request).some(([of, sum]) => of === did && sum === checksum)
}

function servicesOf(ddo: Ddo): JsonObject[] {
  return servicesOfJson(ddo.json)
}

function servicesOfJson(json: JsonObject): JsonObject[] {
  return [...(json['service'] as readonly JsonObject[])]
}

function attributesOf({ name, entrypoint }: AlgorithmFiles, client: AccountClient): JsonObject {
  const algorithm = { language: '', format: 'docker-image', version: '1', ...(entrypoint && { entrypoint }) }
  const main = {
    name,
    type: 'algorithm',
    author: client.account,
    license: 'No License Specified',
    price: '0',
    algorithm,
  }
  return { main }
}
