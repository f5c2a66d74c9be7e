import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'

/** Text that begins with `0x` and goes on in hexadecimal digits. */
export type Hex = `0x${string}`

const ENCODER = /* @__PURE__ */ new TextEncoder()

/** Return the UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text)
}

/** Return bytes as lower-case hexadecimal digits without `0x`. */
export function digitsOf(bytes: Uint8Array): string {
  let digits = ''
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0')
  return digits
}

/** Return bytes as `0x` and lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${digitsOf(bytes)}`
}

/**
 * Return the bytes of hexadecimal digits, with or without `0x`.
 *
 * @throws InsituError `InvalidDocument` for anything else
 */
export function fromHex(text: string): Uint8Array {
  const digits = withoutPrefix(text)
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new InsituError(errors.InvalidDocument, 'hexadecimal digits are needed, two for each byte')
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  )
}

/** Return a text without `0x` at its beginning. */
export function withoutPrefix(text: string): string {
  return text.startsWith('0x') ? text.slice(2) : text
}

/** Return a checksum in lower case and without `0x`, so that two spellings compare equal. */
export function plainDigits(checksum: string): string {
  return withoutPrefix(checksum.toLowerCase())
}

/** Return the bytes of all parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Return bytes as base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let characters = ''
  for (const byte of bytes) characters += String.fromCharCode(byte)
  return btoa(characters)
}

/** Return bytes as base64url without padding (RFC 7515). */
export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Return the bytes of a base64 text with padding, or undefined if it is not exactly that. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}

/** Return the bytes of a base64url text, with or without padding, or undefined if it is not one. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const digits = text
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  return /[+/]/.test(text) ? undefined : fromBase64(digits + '='.repeat(-digits.length & 3))
}

/** Return how many characters (code points) a text has; `length` counts the halves of some twice. */
export function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length += 1
  return length
}

/** Return the first characters (code points) of a text. */
export function beginning(text: string, most: number): string {
  return Array.from(text.slice(0, 2 * most))
    .slice(0, most)
    .join('')
}
