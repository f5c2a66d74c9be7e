import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { keccak_256, sha3_256 as nobleSha3 } from '@noble/hashes/sha3.js'
import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { digitsOf, utf8 } from './bytes.js'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json }

/** The deepest nesting that a document may have. */
export const MAX_DEPTH = 64

/**
 * Copy a value and check that it is JSON: finite numbers, text that is valid Unicode, not too deep.
 *
 * @param pointer - where the value is in a larger document, a JSON pointer
 * @throws InsituError `InvalidDocument` with the pointer of the first part that is not JSON
 */
export function plainJson(value: unknown, pointer = ''): Json {
  return copy(value, pointer, 0)
}

function copy(value: unknown, pointer: string, depth: number): Json {
  if (depth > MAX_DEPTH) throw invalid(`nested deeper than ${MAX_DEPTH} levels`, pointer)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return validText(value, pointer)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(`${value} is not a JSON number`, pointer)
    return value
  }
  if (Array.isArray(value)) return value.map((item, at) => copy(item, `${pointer}/${at}`, depth + 1))
  if (!isPlainObject(value)) throw invalid(`${typeof value} is not a JSON type`, pointer)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(
    members.map(([name, member]) => {
      validText(name, pointer)
      return [name, copy(member, `${pointer}/${escapePointer(name)}`, depth + 1)]
    }),
  )
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function validText(text: string, pointer: string): string {
  if (/\p{Cs}/u.test(text)) throw invalid('text with a lone surrogate', pointer)
  return text
}

function invalid(detail: string, pointer: string): InsituError {
  return new InsituError(errors.InvalidDocument, detail, { pointer })
}

/** Return whether a value is a JSON object: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Escape one segment of a JSON pointer (RFC 6901, section 3). */
export function escapePointer(segment: string): string {
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * Return the canonical form of a JSON value (RFC 8785) as UTF-8.
 *
 * Numbers beyond ±(2^53 - 1) are refused, because readers disagree about them; documents write such amounts as text.
 *
 * @throws InsituError `InvalidDocument` if the value is not JSON or holds such a number
 */
export function canonicalJson(value: unknown): Uint8Array {
  return utf8(write(plainJson(value), ''))
}

function write(value: Json, pointer: string): string {
  if (typeof value === 'number') {
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw invalid('a number beyond 2^53 - 1: write it as a string', pointer)
    }
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item, at) => write(item, `${pointer}/${at}`)).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  // RFC 8785 sorts names by their UTF-16 code units, as sort() does.
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members
    .map(([name, member]) => `${JSON.stringify(name)}:${write(member, `${pointer}/${escapePointer(name)}`)}`)
    .join(',')}}`
}

/** Return the SHA3-256 (FIPS 202), 32 bytes: the hash of documents. Not Keccak-256. */
export function sha3(bytes: Uint8Array): Uint8Array {
  return nobleSha3(bytes)
}

/** Return the Keccak-256, 32 bytes: the hash of everything that a contract computes. Not SHA3-256. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes)
}

/** Return the SHA-256, 32 bytes: the hash of receipts and files. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}

/**
 * Return the SHA3-256 of the canonical JSON of a value: 64 lower-case hexadecimal digits without `0x`.
 *
 * @throws InsituError `InvalidDocument` if the value has no canonical form
 */
export function checksum(value: unknown): string {
  return digitsOf(sha3(canonicalJson(value)))
}
