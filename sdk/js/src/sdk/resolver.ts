import * as errors from '../api/errors.gen.js'
import { type Ddo, readDdo } from '../domain/ddo.js'
import type { Address } from '../domain/ids.js'
import { creatorOf, verifyChecksum } from '../domain/integrity.js'
import { requireNumber } from '../domain/versions.js'
import { InsituError, isInsituError } from '../errors.js'
import type { ChainReader, DidRecord } from './chain-reader.js'
import type { Http } from './http.js'

/** The current version of an asset, proved to be what the chain names. */
export interface ResolvedAsset {
  readonly record: DidRecord
  readonly ddo: Ddo
  /** The account that the DID derives from. */
  readonly creator: Address
  /** The account that answers for this version: the creator for version 1, otherwise the owner who registered it. */
  readonly registrant: Address
}

/** A version of an asset, and where it can be read. */
export type Version = Pick<DidRecord, 'did' | 'url' | 'checksum'>

const KEPT = 512

/** Reads documents by DID, from the url in the registry, and proves that they are what the chain names. */
export class Resolver {
  readonly chain: ChainReader
  readonly #http: Http
  readonly #proved = new Map<string, readonly [Ddo, Address]>()

  constructor(chain: ChainReader, http: Http) {
    this.chain = chain
    this.#http = http
  }

  /**
   * Return an asset in its current version.
   *
   * @throws InsituError `InvalidDid`, `AssetNotFound`, `ChecksumMismatch`, `VersionNotAllowed`, `InvalidDocument`,
   * `PeerUnavailable`, `ChainUnavailable`
   */
  async resolve(did: string, signal?: AbortSignal): Promise<ResolvedAsset> {
    const record = await this.chain.didRecord(did, signal)
    const key = `${did} ${record.checksum}`
    const [ddo, creator] = this.#proved.get(key) ?? (await this.read(record, signal))
    this.#proved.delete(key)
    this.#proved.set(key, [ddo, creator])
    const [oldest] = this.#proved.keys()
    if (this.#proved.size > KEPT && oldest !== undefined) this.#proved.delete(oldest)
    requireNumber(ddo, record.version)
    return { record, ddo, creator, registrant: record.version === 1 ? creator : record.registrant }
  }

  /** Read a version from a url, and prove it by its DID and checksum. Throws like `resolve`. */
  async read({ did, url, checksum }: Version, signal?: AbortSignal): Promise<readonly [Ddo, Address]> {
    const params = { checksum }
    const document = await this.#http
      .call('GET', url.replaceAll('{did}', did), { params, signal, followRedirects: true })
      .catch((cause: unknown) => {
        if (!isInsituError(cause) || cause.code !== 'NotFound') throw cause
        throw new InsituError(errors.AssetNotFound, `there is no document at ${url}`, { cause })
      })
    const ddo = readDdo(document)
    if (ddo.id !== did) throw new InsituError(errors.ChecksumMismatch, `the url of ${did} returns another document`)
    verifyChecksum(ddo, checksum)
    return [ddo, creatorOf(ddo)]
  }
}
