import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { concat, digitsOf, fromHex, type Hex } from './bytes.js'
import { canonicalJson, keccak256, sha3 } from './canonical.js'
import type { Address } from './ids.js'

/** A complete DID: `did:nv:` and 64 lower-case hexadecimal digits. */
export type Did = `did:nv:${string}`

/** Service index (as text) → checksum of the service's `main`. */
export type ChecksumMap = Readonly<Record<string, string>>

const COMPLETE = /^did:nv:[0-9a-f]{64}$/

/** Return whether a value is a DID that can be registered, bought or executed. */
export function isDid(value: unknown): value is Did {
  return typeof value === 'string' && COMPLETE.test(value)
}

/** Read a complete DID. Throws `InvalidDid`. */
export function readDid(text: string): Did {
  return isDid(text) ? text : refuse(text, '64 lower-case ')
}

/** Read a DID of an older document, which may be short (`did:nv:12345`) or in upper case. Throws `InvalidDid`. */
export function readOlderDid(text: string): Did {
  return /^did:nv:[0-9a-fA-F]{1,64}$/.test(text) ? (text.toLowerCase() as Did) : refuse(text, '')
}

function refuse(text: string, which: string): never {
  const shown = JSON.stringify(text.slice(0, 100))
  throw new InsituError(errors.InvalidDid, `${shown} is not did:nv: followed by ${which}hexadecimal digits`)
}

/** Return the DID of its 32 bytes on chain, as hexadecimal digits. Throws `InvalidDid`. */
export function didOfHex(digits: string): Did {
  return readDid(`did:nv:${digits.replace(/^0x/, '').toLowerCase()}`)
}

/** Return the 32 bytes of a DID as contracts take them. Throws `InvalidDid` if it is not complete. */
export function didHex(did: string): Hex {
  return `0x${readDid(did).slice('did:nv:'.length)}`
}

/** Return `keccak256(abi.encode(bytes32 seed, address creator))`, as `DIDRegistry.hashDID` computes it. */
export function hashDid(seed: Uint8Array, creator: Address): Did {
  if (seed.length !== 32) throw new InsituError(errors.InvalidDid, `a DID seed has 32 bytes, not ${seed.length}`)
  return `did:nv:${digitsOf(keccak256(concat(seed, new Uint8Array(12), fromHex(creator))))}`
}

/** Return the 32 bytes from which a DID derives: the SHA3-256 of the canonical `proof.checksum` map. */
export function didSeed(checksums: ChecksumMap): Uint8Array {
  return sha3(canonicalJson(checksums))
}

/** Return the DID of an asset with these service checksums, registered by this creator. */
export function deriveDid(checksums: ChecksumMap, creator: Address): Did {
  return hashDid(didSeed(checksums), creator)
}
