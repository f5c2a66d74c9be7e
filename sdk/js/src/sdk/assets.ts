import type { components } from '../api/metadata.gen.js'
import type { JsonObject } from '../domain/canonical.js'
import type { Ddo } from '../domain/ddo.js'
import type { Did } from '../domain/did.js'
import type { Address } from '../domain/ids.js'
import { anyObject, integer, list, object, type Reader, refuse, text } from '../domain/shape.js'
import type { Http } from './http.js'
import type { ResolvedAsset, Resolver } from './resolver.js'
import type { AssetVersion, ListedVersion } from './versions.js'

/** What the assets have that a search finds. */
export type AssetFacets = components['schemas']['AssetFacets']

type WireSummary = components['schemas']['AssetSummary']

/** What a list shows of an asset. Its price is in base units. */
export type AssetSummary = Omit<WireSummary, 'price'> & { readonly price: bigint }

/** What a list shows of assets, and the DIDs that the catalogue does not know. */
export interface AssetSummaries {
  readonly summaries: readonly AssetSummary[]
  readonly unknown: readonly string[]
}

/** What is searched for; what is left out does not restrict. Prices are in base units of the token. */
export interface SearchFilters {
  /** `dataset`, `algorithm` or `workflow`. */
  readonly type?: string
  /** A type of service that is offered, such as `compute`. */
  readonly service?: string
  readonly tag?: string
  readonly category?: string
  readonly author?: string
  readonly owner?: Address
  readonly license?: string
  /** What the rules let run: `any` algorithm, those of trusted `publishers`, named `algorithms`, or `nothing`. */
  readonly mayRun?: string
  /** A type of files such as `.csv`, `any file`, `no file`, `log` or `no log`. */
  readonly mayLeave?: string
  /** What is `unlisted` or `pending` is found only with its `owner`. */
  readonly state?: 'listed' | 'unlisted' | 'retired' | 'pending'
  readonly priceMin?: bigint
  readonly priceMax?: bigint
  readonly signal?: AbortSignal
}

/** What is searched for, and which part of it is wanted. */
export interface SearchOptions extends SearchFilters {
  readonly sort?: 'relevance' | 'date' | 'price'
  readonly descending?: boolean
  /** From 1. */
  readonly page?: number
  /** Results of a page, 1 to 100; the name is that of the published API. */
  readonly offset?: number
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

const FACETS = anyObject as unknown as Reader<AssetFacets>
const SUMMARIES = /* @__PURE__ */ (() => {
  const summary: Reader<AssetSummary> = (value, place) => {
    const told = anyObject(value, place) as unknown as WireSummary
    if (!/^\d{1,78}$/.test(told.price)) refuse('an amount is needed', place)
    return { ...told, price: BigInt(told.price) }
  }
  return object({ summaries: list(summary), unknown: list(text) })
})()

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
   * @param words - searched in name, description, tags, author and DID; empty matches everything
   * @throws InsituError `InvalidRequest` for a filter that does not exist, `PeerUnavailable`
   */
  async search(words = '', { signal, ...filters }: SearchOptions = {}): Promise<SearchPage> {
    return this.#ask(PAGE, 'ddo/query', { text: words, ...filters }, signal)
  }

  /**
   * Count the types, services, tags, categories, rules, authors, licenses, prices and states of what `search` finds. The newest
   * 1,000 assets are counted; with `more` there are others, and each count is the least that it can be. Throws like `search`.
   */
  async facets(words = '', { signal, ...filters }: SearchFilters = {}): Promise<AssetFacets> {
    return this.#ask(FACETS, 'facets', { text: words, ...filters }, signal)
  }

  /** Return what a list shows of at most 100 assets, as the catalogue says: nothing is proved. Throws like `search`. */
  async summaries(dids: readonly string[], options: { readonly signal?: AbortSignal } = {}): Promise<AssetSummaries> {
    return this.#ask(SUMMARIES, 'summaries', { dids }, options.signal)
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

  /**
   * Return the registered versions of an asset, newest first, at most 1,000, with what each changed. Only what the registry
   * has is a version; a document that is gone is undefined.
   *
   * @throws InsituError like `resolve`
   */
  async versions(did: string, options: { readonly signal?: AbortSignal } = {}): Promise<ListedVersion[]> {
    return (await import('./versions.js')).listVersions(this.#resolver, did, options.signal)
  }

  /**
   * Return one registered version of an asset; if a checksum was registered several times, the newest with it.
   *
   * @param version - its number, from 1, or its on-chain checksum
   * @throws InsituError like `resolve`; `AssetNotFound` or `ChecksumMismatch` if there is no such version
   */
  async at(
    did: string,
    version: number | string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<AssetVersion> {
    return (await import('./versions.js')).findVersion(this.#resolver, did, version, options.signal)
  }

  /** Return the on-chain owner of an asset. Throws like `resolve`. */
  async owner(did: string, options: { readonly signal?: AbortSignal } = {}): Promise<Address> {
    return (await this.show(did, options)).record.owner
  }

  #ask<T>(reader: Reader<T>, path: string, json: object, signal: AbortSignal | undefined): Promise<T> {
    const url = `${this.#metadataUrl}/api/v1/metadata/assets/${path}`
    return this.#http.read(reader, 'POST', url, { json, idempotent: true, signal })
  }
}
