import { Point, recoverPublicKey } from '@noble/secp256k1'
import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { concat, digitsOf, fromHex, utf8 } from './bytes.js'
import { keccak256, sha256 } from './canonical.js'
import { type Address, readAddress } from './ids.js'

/** Bytes of the longest signature of a contract account (ERC-1271). */
export const MAX_SIGNATURE = 4096

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/**
 * Return the account whose key signed a digest of 32 bytes.
 *
 * @param signature - r ‖ s ‖ v, 65 bytes or their hexadecimal digits; v is 0, 1, 27 or 28, and s is low (EIP-2)
 * @throws InsituError `SignatureMismatch` if no key can have made it
 */
export function recoverAddress(digest: Uint8Array, signature: string | Uint8Array): Address {
  const raw = keySignature(signature)
  const v = raw[64] ?? 0
  const recovery = v >= 27 ? v - 27 : v
  if (recovery > 1 || numberOf(raw.subarray(32, 64)) > ORDER / 2n) {
    throw new InsituError(errors.SignatureMismatch, 'the signature is not in its canonical form')
  }
  try {
    const recovered = concat(Uint8Array.of(recovery), raw.subarray(0, 64))
    return addressOfKey(recoverPublicKey(recovered, digest, { prehash: false }))
  } catch (cause) {
    throw new InsituError(errors.SignatureMismatch, 'no key can have made this signature', { cause })
  }
}

/** Return the account of a public key in its compressed or its full form. */
export function addressOfKey(publicKey: Uint8Array): Address {
  return readAddress(`0x${digitsOf(keccak256(Point.fromBytes(publicKey).toBytes(false).subarray(1)).subarray(12))}`)
}

/**
 * Return a signature without v (64 bytes r ‖ s, as in a JWT) with the v that recovers to the account.
 *
 * A high s is accepted and lowered, because ES256K (RFC 8812) does not forbid it. Throws `SignatureMismatch` if it does
 * not have 64 bytes, or if the account's key did not make it.
 */
export function completeHalves(digest: Uint8Array, halves: Uint8Array, account: Address): Uint8Array {
  if (halves.length !== 64) throw new InsituError(errors.SignatureMismatch, 'an ES256K signature has 64 bytes')
  const s = numberOf(halves.subarray(32))
  const low = s > ORDER / 2n && s < ORDER ? ORDER - s : s
  for (const v of [27, 28]) {
    const signature = concat(halves.subarray(0, 32), fromHex(low.toString(16).padStart(64, '0')), Uint8Array.of(v))
    if (signerOf(digest, signature) === account) return signature
  }
  throw new InsituError(errors.SignatureMismatch, `it is not signed by ${account}`)
}

/** Return the account whose key signed a digest, or undefined if no key did: then it may be a contract's signature. */
export function signerOf(digest: Uint8Array, signature: string | Uint8Array): Address | undefined {
  try {
    return recoverAddress(digest, signature)
  } catch (error) {
    if (isInsituError(error)) return undefined
    throw error
  }
}

/** Return the 65 bytes of a key's signature. Throws `SignatureMismatch`. */
export function keySignature(signature: string | Uint8Array): Uint8Array {
  const raw = read(signature)
  if (raw.length !== 65) throw new InsituError(errors.SignatureMismatch, 'a signature has 65 bytes')
  return raw
}

/** Return the bytes of a signature of any account, also of a contract: 65 to 4,096. Throws `SignatureMismatch`. */
export function accountSignature(signature: string): Uint8Array {
  const raw = read(signature)
  if (raw.length < 65 || raw.length > MAX_SIGNATURE) {
    const detail = `a signature has 65 to ${MAX_SIGNATURE} bytes, in hexadecimal digits`
    throw new InsituError(errors.SignatureMismatch, detail)
  }
  return raw
}

/** Return a key's signature as contracts expect it, with v 27 or 28. Throws `SignatureMismatch`. */
export function callSignature(signature: string | Uint8Array): Uint8Array {
  const raw = keySignature(signature).slice()
  if ((raw[64] ?? 0) < 2) raw[64] = (raw[64] ?? 0) + 27
  return raw
}

/** Return the digest of personal_sign (EIP-191, version 0x45), which browser wallets sign for a text. */
export function personalDigest(message: string | Uint8Array): Uint8Array {
  const bytes = typeof message === 'string' ? utf8(message) : message
  return keccak256(concat(utf8(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes))
}

/** Return the digest of a JWT signed with ES256K (RFC 8812): SHA-256 of `header.payload`. */
export function es256kDigest(signingInput: string): Uint8Array {
  return sha256(utf8(signingInput))
}

function read(signature: string | Uint8Array): Uint8Array {
  if (typeof signature !== 'string') return signature
  return /^(?:0x)?(?:[0-9a-fA-F]{2})+$/.test(signature) ? fromHex(signature) : new Uint8Array()
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${digitsOf(bytes)}`)
}
