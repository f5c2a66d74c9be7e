import * as errors from '../api/errors.gen.js'
import type { JsonObject } from '../domain/canonical.js'
import { catalogueTypedData } from '../domain/catalogue-requests.js'
import { didHex, readDid } from '../domain/did.js'
import { anyObject, integer, list, object, oneOf, optional, type Read, text, withDefault } from '../domain/shape.js'
import { InsituError, isInsituError } from '../errors.js'
import type { CallControl } from './account.js'
import type { AccountParts } from './account-client.js'
import type { AgreementContracts } from './agreement-chain.js'
import { signAs } from './signing.js'

const DDO = '/api/v1/metadata/assets/ddo'
/** Seconds for which the catalogue is asked to wait, so that confirmations are counted meanwhile, and how often. */
const WAIT = 5
const WAITS = 36
/** Seconds for which a request to a catalogue is good. */
const SIGNED_FOR = 300

const STATES = /* @__PURE__ */ (() => oneOf('pending', 'listed', 'unlisted', 'hidden', 'retired'))()
const STATUS = /* @__PURE__ */ (() =>
  object({
    did: text,
    state: STATES,
    checksum: text,
    owner: optional(text),
    pending: optional(text),
    reason: withDefault(text, ''),
    featured: withDefault(text, ''),
    version: withDefault(integer(), 0),
    confirmed: optional(integer()),
    confirmations: optional(integer()),
  }))()

/**
 * Where an asset stands in a catalogue; `pending` is the checksum of a version that the chain does not have yet, `reason`
 * why a curator hides it, and `featured` why one features it. Of what is pending and on chain already, `confirmed` says how many
 * of the `confirmations` that the catalogue waits for it has.
 */
export type AssetStatus = Read<typeof STATUS>

/** Reads where an asset stands. */
export const assetStatus = STATUS

/** What an owner asks of a catalogue: whether strangers find an asset, or that nobody does any more. */
export type ListingAction = 'list' | 'unlist' | 'retire'

/** What a curator decides: nobody's search finds an asset, or pages show it first. */
export type Curation = 'hidden' | 'featured'

const CURATED = /* @__PURE__ */ (() => {
  const asset = object({
    ...{ did: text, state: STATES, reason: text, curator: optional(text), at: optional(text) },
    document: optional(anyObject),
  })
  return object({ curators: list(text), results: list(asset), totalPages: integer(), totalResults: integer() })
})()

/** What curators decided, the latest first; `document` is that of a featured asset which strangers find. */
export type CuratedPage = Read<typeof CURATED>

/** What a curator asks of a catalogue. */
export type CurationAction = 'hide' | 'unhide' | 'feature' | 'unfeature'

/** Publishes documents in one catalogue, and says who finds them. */
export class Catalogue {
  readonly #parts: AccountParts
  readonly #contracts: AgreementContracts

  constructor({ parts, contracts }: { readonly parts: AccountParts; readonly contracts: AgreementContracts }) {
    this.#parts = parts
    this.#contracts = contracts
  }

  /** What is registered on chain as a document's url: `{did}` in it stands for the DID (P3). */
  get address(): string {
    return `${this.#parts.metadataUrl}${DDO}/{did}`
  }

  /** Publish a document. Repeating it is harmless. */
  async publish(
    json: JsonObject,
    headers: Readonly<Record<string, string>>,
    withoutCompute: boolean | undefined,
    { signal }: CallControl,
  ): Promise<AssetStatus> {
    const params = { withoutCompute: withoutCompute ? 'true' : undefined }
    const call = { json, headers, params, idempotent: true, signal }
    return this.#parts.http.read(STATUS, 'POST', this.#parts.metadataUrl + DDO, call)
  }

  /** Publish a version that the on-chain owner signed. */
  async update(json: JsonObject, { signal }: CallControl): Promise<AssetStatus> {
    const call = { json, params: { withoutCompute: 'true' }, signal }
    return this.#parts.http.read(STATUS, 'PUT', this.#at(String(json['id'])), call)
  }

  /** Return where an asset stands. Throws `AssetNotFound`. */
  async status(did: string, { signal }: CallControl): Promise<AssetStatus> {
    return this.#parts.http.read(STATUS, 'GET', `${this.#at(did)}/status`, { signal }).catch(asAssetNotFound)
  }

  /** Return once a version can be found, and report its confirmations. Throws `AssetNotFound` if it takes minutes. */
  async wait(did: string, checksum: string, { onProgress, signal }: CallControl): Promise<void> {
    let said = ''
    for (let look = 0; look < WAITS; look += 1) {
      const call = { params: { checksum, wait: WAIT }, signal }
      const status = await this.#parts.http.read(STATUS, 'GET', `${this.#at(did)}/status`, call)
      if (status.checksum === checksum && !['pending', 'retired'].includes(status.state)) return
      const { confirmed, confirmations } = status
      if (confirmed === undefined || confirmations === undefined) continue
      const message = `It is on chain, and has ${confirmed} of the ${confirmations} confirmations that the catalogue waits for.`
      if (message !== said) onProgress?.({ step: 'confirmation', message })
      said = message
    }
    throw new InsituError(errors.AssetNotFound, `${did} is registered, but the catalogue does not list it yet`)
  }

  /** Let the on-chain owner say who finds an asset here, and nowhere else. Throws `NotOwner`, `RejectedByUser`. */
  async list(did: string, action: ListingAction, control: CallControl): Promise<AssetStatus> {
    const done = { list: 'lists', unlist: 'no longer lists', retire: 'retires' }[action]
    const message = `Your wallet is asked to sign that the catalogue ${done} ${did}. This costs nothing.`
    const body = await this.#signed('ListingRequest', did, { action }, message, control)
    if (action !== 'retire') return this.#put(did, 'listing', body, control)
    const { action: _, ...rest } = body
    return this.#parts.http.read(STATUS, 'DELETE', this.#at(did), { json: rest, signal: control.signal })
  }

  /**
   * Let a curator hide or feature an asset for a public reason, or end that without one.
   *
   * @throws InsituError `NotCurator`, `FeaturedFull`, `InvalidRequest`, `RejectedByUser`
   */
  async curate(did: string, action: CurationAction, reason: string, control: CallControl): Promise<AssetStatus> {
    const does = { hide: 'hides', unhide: 'no longer hides', feature: 'features', unfeature: 'no longer features' }[
      action
    ]
    const message = `Your wallet is asked to sign that the catalogue ${does} ${did}. This costs nothing.`
    const body = await this.#signed('CurationRequest', did, { action, reason }, message, control)
    return this.#put(did, 'curation', { ...body, account: this.#parts.account.address }, control)
  }

  /** Return what curators decided, as the catalogue says. Throws `PeerUnavailable`. */
  async curated(what: Curation, page: number, { signal }: CallControl): Promise<CuratedPage> {
    const url = `${this.#parts.metadataUrl}/api/v1/metadata/assets/curated`
    return this.#parts.http.read(CURATED, 'GET', url, { params: { what, page }, signal })
  }

  async #put(did: string, what: string, json: object, { signal }: CallControl): Promise<AssetStatus> {
    return this.#parts.http.read(STATUS, 'PUT', `${this.#at(did)}/${what}`, { json, signal })
  }

  async #signed<A extends Readonly<Record<string, string>>>(
    kind: 'ListingRequest' | 'CurationRequest',
    did: string,
    asked: A,
    message: string,
    control: CallControl,
  ) {
    await this.#parts.trust(control.signal)
    const deadline = Math.floor(Date.now() / 1000) + SIGNED_FOR
    const given = { ...asked, catalogue: this.#parts.metadataUrl, deadline }
    const { chainId, registry } = this.#contracts
    const data = catalogueTypedData(kind, { ...given, did: didHex(did) }, chainId, registry)
    return { ...given, signature: await signAs(this.#parts, data, { step: 'listing', message }, control) }
  }

  #at(did: string): string {
    return `${this.#parts.metadataUrl}${DDO}/${readDid(did)}`
  }
}

function asAssetNotFound(cause: unknown): never {
  if (!isInsituError(cause) || cause.code !== 'NotFound') throw cause
  throw new InsituError(errors.AssetNotFound, 'the catalogue has no such asset', { cause })
}
