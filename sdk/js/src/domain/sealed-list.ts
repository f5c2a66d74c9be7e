import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { fromBase64url, utf8 } from './bytes.js'
import { type Address, readAddress, sameAddress } from './ids.js'

/** The most characters of a text that is read. */
const MAX_SEALED = 8 * 1024 * 1024

/** The parts of a sealed list of files. Nothing in it is proved until the payload opens with the associated data. */
export interface SealedList {
  readonly keyVersion: number
  /** The account for which the list was sealed, and whose rights its urls have. */
  readonly sealer: Address
  /** 12 bytes of nonce, then the ciphertext and tag of AES-256-GCM over the canonical JSON of the list. */
  readonly payload: Uint8Array
  /** The associated data of the encryption. */
  readonly associated: Uint8Array
}

/**
 * Read `encryptedFiles` of a document (ADR 0095). Only the gateway that sealed it can open it; everybody can see for
 * which DID and for whom it was sealed.
 *
 * @param creator - the account from which the DID derives: the sealer of a text in the old form
 * @throws InsituError `InputElsewhere` if it is not one
 */
export function readSealedList(text: unknown, did: string, creator: Address, chainId: number): SealedList {
  const match = typeof text === 'string' && text.length <= MAX_SEALED ? FORM.exec(text) : null
  const [, form, version, sealer, encoded = ''] = match ?? []
  const payload = /={1,2}$/.test(encoded) || encoded.length % 4 === 0 ? fromBase64url(encoded) : undefined
  if (payload === undefined || !isOnlySpelling(encoded, payload) || (form === 'insitu2') !== (sealer !== undefined)) {
    throw new InsituError(errors.InputElsewhere, `the list of files in ${did} was not sealed by this gateway`)
  }
  const keyVersion = Number(version)
  if (sealer === undefined) {
    return { keyVersion, sealer: creator, payload, associated: utf8(`${creator.toLowerCase()}|${chainId}`) }
  }
  const associated = utf8(`insitu2|${chainId}|${did}|${sealer}`)
  return { keyVersion, sealer: readAddress(sealer), payload, associated }
}

const FORM = /^(insitu[12])\.(0|[1-9][0-9]{0,8})(?:\.(0x[0-9a-f]{40}))?\.([A-Za-z0-9_-]+={0,2})$/

/** The last digit of base64 has bits that say nothing; the gateway writes them as 0. */
function isOnlySpelling(encoded: string, payload: Uint8Array): boolean {
  const rest = payload.length % 3
  if (rest === 0) return !encoded.endsWith('=')
  const last = DIGITS.indexOf(encoded.replace(/=+$/, '').slice(-1))
  return encoded.endsWith(rest === 1 ? '==' : '=') && last % (rest === 1 ? 16 : 4) === 0
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A registered version of a DID, as far as its list is concerned. */
export interface ListedVersion {
  /** Who registered it: for version 1 the creator, from whom the DID derives. */
  readonly registrant: Address
  /** Something that is equal for two versions if their texts are, byte for byte. */
  readonly list: string | null
}

/**
 * Return whether the last of these versions may carry its list: its sealer put it there, or the version before may carry
 * the same text. So a new owner keeps what was handed over, and nobody can bring back what was withdrawn.
 *
 * @param versions - the oldest first
 */
export function mayCarry(versions: readonly ListedVersion[], sealer: Address): boolean {
  const last = versions.at(-1)
  if (last === undefined || last.list === null) return false
  for (const version of [...versions].reverse()) {
    if (version.list !== last.list) return false
    if (sameAddress(version.registrant, sealer)) return true
  }
  return false
}
