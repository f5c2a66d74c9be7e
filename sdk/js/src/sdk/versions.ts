import * as errors from '../api/errors.gen.js'
import { plainDigits } from '../domain/bytes.js'
import type { Ddo } from '../domain/ddo.js'
import type { Did } from '../domain/did.js'
import type { Address } from '../domain/ids.js'
import { type Change, changesBetween } from '../domain/version-changes.js'
import { requireNumber } from '../domain/versions.js'
import { InsituError, isInsituError } from '../errors.js'
import type { Registration } from './chain-reader.js'
import { registeredVersions } from './registered-versions.js'
import type { Resolver } from './resolver.js'

/** A version of an asset, proved to be registered and to be what the chain names. */
export interface AssetVersion {
  readonly did: Did
  /** Counts from 1. */
  readonly number: number
  /** On-chain checksum, 64 hexadecimal digits. */
  readonly checksum: string
  /** In which it was registered. */
  readonly block: number
  /** Whether it is the registry's current version. */
  readonly isCurrent: boolean
  /** The account that answers for it: the creator for version 1, otherwise the owner who registered it. */
  readonly registrant: Address
  readonly ddo: Ddo
}

/** A version in a list of all. Its document may be gone from where it was published. */
export interface ListedVersion extends Omit<AssetVersion, 'ddo'> {
  readonly ddo: Ddo | undefined
  /** What it changed of the version before; undefined for version 1, and where a document of the two is gone. */
  readonly changes: readonly Change[] | undefined
}

/** Return the registered versions of an asset, newest first; see `Assets.versions`. */
export async function listVersions(resolver: Resolver, did: string, signal?: AbortSignal): Promise<ListedVersion[]> {
  const record = await resolver.chain.didRecord(did, signal)
  const found: Omit<ListedVersion, 'changes'>[] = []
  for await (const registration of registeredVersions(resolver.chain, record, signal)) {
    const isCurrent = found.length === 0
    const read = await readVersion(resolver, registration, isCurrent, signal).catch((error: unknown) => {
      if (!isInsituError(error) || error.kind !== 'NotFound') throw error
      return undefined
    })
    found.push(read ?? { ...registered(registration, isCurrent), ddo: undefined })
  }
  return found.map((one, at) => {
    const before = found[at + 1]?.ddo
    return { ...one, changes: one.ddo && before && changesBetween(before, one.ddo) }
  })
}

/** Return one registered version of an asset; see `Assets.at`. */
export async function findVersion(
  resolver: Resolver,
  did: string,
  wanted: number | string,
  signal?: AbortSignal,
): Promise<AssetVersion> {
  const record = await resolver.chain.didRecord(did, signal)
  const checksum = typeof wanted === 'string' ? plainDigits(wanted) : undefined
  for await (const found of registeredVersions(resolver.chain, record, signal)) {
    if (found.version !== wanted && found.checksum !== checksum) continue
    return readVersion(resolver, found, found === record, signal)
  }
  const detail = `${did} has no version ${wanted}; ${record.version} is the current one, ${record.checksum}`
  throw new InsituError(checksum === undefined ? errors.AssetNotFound : errors.ChecksumMismatch, detail)
}

async function readVersion(
  resolver: Resolver,
  registration: Registration,
  isCurrent: boolean,
  signal?: AbortSignal,
): Promise<AssetVersion> {
  const [ddo, creator] = await resolver.read(registration, signal)
  requireNumber(ddo, registration.version)
  const known = registered(registration, isCurrent)
  return { ...known, ...(known.number === 1 && { registrant: creator }), ddo }
}

function registered({ did, version, checksum, block, registrant }: Registration, isCurrent: boolean) {
  return { did, number: version, checksum, block, isCurrent, registrant }
}
