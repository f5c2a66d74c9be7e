import type { JsonObject } from '../domain/canonical.js'
import type { Ddo } from '../domain/ddo.js'
import type { Did } from '../domain/did.js'
import type { Address } from '../domain/ids.js'
import { anyObject, integer, list, object } from '../domain/shape.js'
import type { Http } from './http.js'
import type { ResolvedAsset, Resolver } from './resolver.js'

/** What is searched for; what is left out does not restrict. Prices are in base units of the token. */
export interface SearchOptions {
  /** `dataset`, `algorithm` or `workflow`. */
  readonly type?: string
  /** A type of service that is offered, such as `compute`. */
  readonly service?: string
  readonly tag?: string
  readonly category?: string
  readonly author?: string
  readonly owner?: Address
  readonly license?: string
  readonly priceMin?: bigint
  readonly priceMax?: bigint
  readonly sort?: 'relevance' | 'date' | 'price'
  readonly descending?: boolean
  /** From 1. */
  readonly page?: number
  /** Results of a page, 1 to 100; the name is that of the published API. */
  readonly offset?: number
  readonly signal?: AbortSignal
}

/** One page of documents as the catalogue has them. Resolve an asset before you rely on what its document says. */
export interface SearchPage {
  readonly results: readonly JsonObject[]
  readonly page: number
  readonly totalPages: number
  readonly totalResults: number
}

const PAGE = /* @__PURE__ */ (() =>
  object({ results: list(anyObject), page: integer(), totalPages: integer(), totalResults: integer() }))()

/** Finds assets and reads their documents. */
export class Assets {
  readonly #http: Http
  readonly #metadataUrl: string
  readonly #resolver: Resolver

  constructor(http: Http, metadataUrl: string, resolver: Resolver) {
    this.#http = http
    this.#metadataUrl = metadataUrl
    this.#resolver = resolver
  }

  /**
   * Find listed assets (P2). The catalogue says which there are, and nothing of the answer is proved.
   *
   * @param text - searched in name, description, tags, author and DID; empty matches everything
   */
  async search(text = '', { signal, ...filters }: SearchOptions = {}): Promise<SearchPage> {
    const told = Object.entries(filters).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? String(value) : value,
    ])
    const json = { text, ...Object.fromEntries(told) }
    const url = `${this.#metadataUrl}/api/v1/metadata/assets/ddo/query`
    return this.#http.read(PAGE, 'POST', url, { json, idempotent: true, signal })
  }

  /**
   * Return the document of an asset, proved to be what the chain names (P3).
   *
   * @throws InsituError `InvalidDid`, `AssetNotFound`, `ChecksumMismatch`, `VersionNotAllowed`, `InvalidDocument`,
   * `PeerUnavailable`, `ChainUnavailable`
   */
  async resolve(did: string, options: { readonly signal?: AbortSignal } = {}): Promise<Ddo> {
    return (await this.#resolver.resolve(did, options.signal)).ddo
  }

  /** Return a document with what the chain says about it: owner, creator, and the version. Throws like `resolve`. */
  async show(did: string | Did, options: { readonly signal?: AbortSignal } = {}): Promise<ResolvedAsset> {
    return this.#resolver.resolve(did, options.signal)
  }

  /** Return the on-chain owner of an asset. Throws like `resolve`. */
  async owner(did: string, options: { readonly signal?: AbortSignal } = {}): Promise<Address> {
    return (await this.show(did, options)).record.owner
  }
}
