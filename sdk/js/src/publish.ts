/**
 * Publishing, for an account: `insitu/publish`.
 *
 * @packageDocumentation
 */
import * as errors from './api/errors.gen.js'
import { digitsOf } from './domain/bytes.js'
import { type JsonObject, plainJson, sha256 } from './domain/canonical.js'
import { readDdo } from './domain/ddo.js'
import { completeServices, type Description, readDescription } from './domain/description.js'
import { readAddress, sameAddress } from './domain/ids.js'
import { creatorOf } from './domain/integrity.js'
import { publicationKey } from './domain/publication-key.js'
import { object, text } from './domain/shape.js'
import { InsituError } from './errors.js'
import { orUndefined } from './sdk/absence.js'
import type { CallControl } from './sdk/account.js'
import type { AccountClient } from './sdk/account-client.js'
import { describeContents } from './sdk/algorithm-files.js'
import { assemble, identify, isSignedBy, provedBy, type UnsignedDdo, unsignedAgain } from './sdk/assembly.js'
import { assetStatus, Catalogue } from './sdk/catalogue.js'
import type { Execution } from './sdk/execution.js'
import {
  authorised,
  type FilesOptions,
  type Folder,
  namesUrls,
  type PreparedAsset,
  type PublishedAsset,
  type RegisterOptions,
  type UploadedBytes,
} from './sdk/publications.js'
import { Registrations } from './sdk/registrations.js'
import { type AlgorithmFiles, type ReviseOptions, Revisions } from './sdk/revisions.js'

export type * from './sdk/publications.js'
export type { AlgorithmFiles, ReviseOptions }

/** Publishes for one account, with the gateway that its client is connected to as provider. */
export class Publisher {
  readonly #client: AccountClient
  readonly #registrations: Registrations
  readonly #catalogue: Catalogue
  readonly #uploaded: Record<string, string> = {}
  /** DIDs that were made here and are not registered: what names one cannot have been published before. */
  readonly #made = new Set<string>()

  constructor(client: AccountClient) {
    this.#client = client
    this.#registrations = new Registrations(client)
    this.#catalogue = new Catalogue(client)
  }

  /**
   * Store the bytes of an algorithm at the gateway.
   *
   * @throws InsituError `ChecksumMismatch` if it stored other bytes, `UploadsFull`
   */
  async upload(content: Uint8Array, control: CallControl = {}): Promise<UploadedBytes> {
    const { gateway } = this.#client.parts
    const headers = { 'Content-Type': 'application/octet-stream' }
    const call = { ...control, headers, body: new Blob([content as BlobPart]), idempotent: true }
    const stored = await gateway.call(object({ url: text, sha256: text }), 'POST', '/upload', call)
    const digest = digitsOf(sha256(content))
    if (stored.sha256 !== digest) {
      const detail = `the gateway stored bytes with SHA-256 ${stored.sha256}, not ${digest}`
      throw new InsituError(errors.ChecksumMismatch, detail)
    }
    this.#uploaded[stored.url] = digest
    return stored
  }

  /**
   * List a folder of the provider from which this account may publish, sorted by name, without hidden files.
   *
   * @param path - absolute, of a folder below the data roots; without it the data roots are listed
   * @throws InsituError `CreatorNotAllowed` unless the provider's settings name the account; `InputUnreadable` if there is no
   * such folder, or a part of its path is a link; `InvalidRequest`
   */
  async files(path?: string, { after, limit, ...control }: FilesOptions = {}): Promise<Folder> {
    return this.#client.parts.gateway.view('GET', '/files', { ...control, params: { path, after, limit } })
  }

  /**
   * Return the document of an asset as it would be if it were published now, without the sealed list of its files. Nothing is
   * sent.
   *
   * @throws InsituError `InvalidDocument` and related codes, with a pointer for each problem
   */
  async preview(
    assetMetadata: unknown,
    servicesDescription: readonly unknown[] = [],
    options: RegisterOptions = {},
  ): Promise<JsonObject> {
    return this.#requireRules(readDescription(assetMetadata, servicesDescription), options)
  }

  /**
   * Publish and register an asset (P1–P3) without coin, or find the equal one of an earlier call. The account signs once.
   *
   * @param assetMetadata - attributes of the metadata service, or its `main` alone. Files may have urls: the gateway seals
   * them, and they are never published.
   * @param servicesDescription - the other services; what is missing is filled in
   * @throws InsituError `InvalidDocument` and what the catalogue refuses with, before anything is sent to the chain;
   * `RejectedByUser`, `DIDExists`, `ContractMismatch`, `TransactionUnconfirmed`, `RelayOff`
   */
  async registerAsset(
    assetMetadata: unknown,
    servicesDescription: readonly unknown[] = [],
    options: RegisterOptions = {},
  ): Promise<PublishedAsset> {
    const prepared = await this.prepare(assetMetadata, servicesDescription, options)
    const [published] = await this.registerAll([prepared], options)
    return published as PublishedAsset
  }

  /**
   * Make the document of an asset, or find that of an earlier call. Nothing is signed or published.
   *
   * @param identity - what makes two calls equal; by default the description itself
   * @throws InsituError like `registerAsset`
   */
  async prepare(
    assetMetadata: unknown,
    servicesDescription: readonly unknown[] = [],
    options: RegisterOptions = {},
    identity: unknown = { attributes: assetMetadata, services: servicesDescription },
  ): Promise<PreparedAsset> {
    await this.#client.parts.trust(options.signal)
    const description = readDescription(assetMetadata, servicesDescription)
    await this.#requireRules(description, options)
    const key = this.#keyOf(identity)
    const isNew = [...this.#made].some(did => JSON.stringify(assetMetadata).includes(did))
    const earlier = isNew ? undefined : await this.#findEarlier(key, description, options)
    return { ...(earlier ?? (await this.#assemble(description, options))), key }
  }

  /**
   * Make the document of an algorithm, or find the equal one of an earlier call, and upload its files if they are new.
   *
   * @param attributes - of its metadata service, without `main.files`
   * @param contents - its files, each with its name
   * @throws InsituError like `registerAsset` and `upload`
   */
  async prepareAlgorithm(
    attributes: JsonObject,
    contents: Readonly<Record<string, Uint8Array>>,
    options: RegisterOptions = {},
  ): Promise<PreparedAsset> {
    const files = describeContents(contents)
    const digests = Object.fromEntries(files.map(file => [file.name, file.checksum]))
    const identity = { ...attributes, contents: digests }
    const described = (listed: unknown) => ({
      ...attributes,
      main: { ...(attributes['main'] as JsonObject), files: listed },
    })
    await this.#client.parts.trust(options.signal)
    const key = this.#keyOf(identity)
    const shown = readDescription(described(files.map(({ name: _name, ...file }) => file)))
    await this.#requireRules(shown, options)
    const earlier = await this.#findEarlier(key, shown, options)
    if (earlier !== undefined) return { ...earlier, key }
    const uploaded = []
    for (const file of files) {
      uploaded.push({ ...file, url: (await this.upload(contents[file.name] ?? new Uint8Array(), options)).url })
    }
    return { ...(await this.#assemble(readDescription(described(uploaded)), options)), key }
  }

  /**
   * Publish and register documents (P2, P3) with one signature, and await their listing. What an earlier call registered is
   * only awaited.
   *
   * @throws InsituError like `registerAsset`
   */
  async registerAll(
    prepared: readonly PreparedAsset[],
    options: RegisterOptions = {},
  ): Promise<readonly PublishedAsset[]> {
    const { signal } = options
    const fresh: PreparedAsset[] = []
    for (const unsigned of prepared) {
      this.#made.delete(unsigned.did)
      const record = await this.#client.parts.registry.findRecord(unsigned.did, signal)
      if (record === undefined) fresh.push(unsigned)
      else if (record.checksum !== unsigned.checksum) {
        throw new InsituError(errors.DIDExists, `${unsigned.did} is registered with other files or details`)
      }
    }
    if (fresh.length > 0) await this.#register(fresh, options)
    const published: PublishedAsset[] = []
    for (const unsigned of prepared) {
      await this.#catalogue.wait(unsigned.did, unsigned.checksum, options)
      const found = await this.#client.assets.show(unsigned.did, signal ? { signal } : {})
      published.push({ ...found, did: unsigned.did, reused: !fresh.includes(unsigned) })
    }
    return published
  }

  /**
   * Run another algorithm in the only stage of a bought workflow, as a revision: nothing more is paid (ADR 0139). Files become
   * the next version of the algorithm in the workflow, if this account made and owns that. The account signs once, and not
   * at all for the same files again; repeating an interrupted call goes on with what was signed.
   *
   * @param algorithm - files, or the DID of an algorithm
   * @throws InsituError `RevisionNotAllowed`, `RevisionChangesPurchase` before anything is signed; `EntrypointMissing`,
   * `InvalidRequest` for a workflow of several stages, and what `registerAsset` and `execute` throw
   */
  async revise(agreement: string, algorithm: string | AlgorithmFiles, options: ReviseOptions = {}): Promise<Execution> {
    return new Revisions(this.#client, this).revise(agreement, algorithm, options)
  }

  async #register(fresh: readonly PreparedAsset[], options: RegisterOptions): Promise<void> {
    const request = await this.#registrations.sign(fresh, this.#catalogue.address, options)
    const { withoutCompute } = options
    for (const unsigned of fresh) {
      const document = provedBy(unsigned, request)
      const key = { 'Idempotency-Key': unsigned.key }
      const status = await this.#catalogue.publish(document, key, withoutCompute, options)
      // The key is that of an asset that is no longer ours, or that another call made at the same time.
      if (status.did !== unsigned.did) await this.#catalogue.publish(document, {}, withoutCompute, options)
    }
    await this.#registrations.send(request, fresh, options)
  }

  /** Return the document of a description. Refuse one that breaks a rule, before anybody is asked to sign. */
  async #requireRules(description: Description, options: RegisterOptions): Promise<JsonObject> {
    const { validateDdo } = await import('./domain/document-rules.js')
    const { address } = this.#client.parts.account
    const keyOwner = readAddress(options.publisherPublicKey ?? address)
    const created = `${new Date().toISOString().slice(0, 19)}Z`
    const { json } = assemble(this.#services(description, created), address, created, keyOwner, undefined)
    validateDdo(readDdo(json), { withoutCompute: options.withoutCompute, isNew: true })
    return json
  }

  #keyOf(identity: unknown): string {
    const { account, url } = this.#client.parts
    const { chainId, registry } = this.#client.contracts
    const place = { chainId, registry, gateway: url }
    return publicationKey(place, account.address, plainJson(identity) as JsonObject, this.#uploaded)
  }

  async #assemble(description: Description, options: RegisterOptions): Promise<UnsignedDdo> {
    const { account, gateway, registry } = this.#client.parts
    const keyOwner = readAddress(options.publisherPublicKey ?? account.address)
    let moment = Math.floor(Date.now() / 1000)
    for (const tried = new Set<string>(); ; moment += 1) {
      const created = `${new Date(moment * 1000).toISOString().slice(0, 19)}Z`
      const services = this.#services(description, created)
      const { did, checksums } = identify(services, account.address)
      if (tried.has(did)) throw new InsituError(errors.DIDExists, `${did} is registered with other files or details`)
      tried.add(did)
      // Assets that differ only in what is sealed have the same DID if made in the same second.
      if ((await registry.findRecord(did, options.signal)) !== undefined) continue
      let sealed: string | undefined
      if (namesUrls(description)) {
        const call = { ...options, json: { did, checksum: checksums, files: description.files }, idempotent: true }
        sealed = (await gateway.call(object({ encryptedFiles: text }), 'POST', '/encrypt', authorised(call)))
          .encryptedFiles
      }
      this.#made.add(did)
      return assemble(services, account.address, created, keyOwner, sealed)
    }
  }

  #services(description: Description, created: string): JsonObject[] {
    const { account, url } = this.#client.parts
    const { chainId, template } = this.#client.contracts
    const surroundings = { metadataAddress: this.#catalogue.address, gatewayUrl: url, contract: template, chainId }
    const files = namesUrls(description)
      ? description.files.map(({ url: _url, name: _name, ...shown }) => shown)
      : description.files
    return completeServices(description, files, surroundings, account.address, created)
  }

  /**
   * Return the document that this account published under a key. Gateway and catalogue only say where to look: it counts
   * if its DID is that of this description, and if it is registered and ours, or signed by this account.
   */
  async #findEarlier(
    key: string,
    description: Description,
    options: RegisterOptions,
  ): Promise<UnsignedDdo | undefined> {
    const { account, gateway, registry, resolver } = this.#client.parts
    const status = await orUndefined(gateway.call(assetStatus, 'GET', `/publications/${key}`, authorised(options)))
    if (status === undefined || status.state === 'retired') return undefined
    const record = await registry.findRecord(status.did, options.signal)
    if (record !== undefined && !sameAddress(record.owner, account.address)) return undefined
    const version = { did: status.did as UnsignedDdo['did'], url: this.#catalogue.address, checksum: status.checksum }
    const [ddo] = await resolver.read(version, options.signal)
    if (creatorOf(ddo) !== account.address) {
      throw new InsituError(errors.ChecksumMismatch, `the catalogue says that ${status.did} is ours, but it is not`)
    }
    const { did } = identify(this.#services(description, String(ddo.created)), account.address)
    if (did !== ddo.id || (record === undefined && !isSignedBy(ddo, account.address))) return undefined
    return unsignedAgain(ddo)
  }
}
