import { scrypt } from '@noble/hashes/scrypt.js'
import * as errors from './api/errors.gen.js'
import { concat, digitsOf, fromHex, utf8 } from './domain/bytes.js'
import { isObject, type Json, type JsonObject, keccak256 } from './domain/canonical.js'
import { integer, matching, object, oneOf, readAs } from './domain/shape.js'
import { InsituError, isInsituError } from './errors.js'
import { type LocalKey, localKey } from './wallets.js'

const hex = /* @__PURE__ */ (() => matching(/^(?:0x)?(?:[0-9a-fA-F]{2})+$/, 'hexadecimal digits'))()

const SEALED = /* @__PURE__ */ (() =>
  object({
    cipher: oneOf('aes-128-ctr'),
    cipherparams: object({ iv: hex }),
    ciphertext: hex,
    kdf: oneOf('scrypt', 'pbkdf2'),
    mac: hex,
  }))()

/** The most memory that opening a file may take: a hostile file must not exhaust this machine. */
const MOST_MEMORY = 2 ** 30

/**
 * Open a key file of Web3 Secret Storage, version 3, which wallets export.
 *
 * @param document - the file's JSON
 * @throws InsituError `KeyInvalid` if it is not such a file, `KeyPasswordWrong` if the password does not open it
 */
export async function unlockKey(document: Json, password: string): Promise<LocalKey> {
  const file = isObject(document) ? document : {}
  const sealed = Object.entries(file).find(([name]) => name.toLowerCase() === 'crypto')?.[1]
  if (file['version'] !== 3 || !isObject(sealed)) {
    throw new InsituError(errors.KeyInvalid, 'this is not a key file of Web3 Secret Storage, version 3')
  }
  try {
    return await open(sealed, password)
  } catch (cause) {
    if (!isInsituError(cause) || cause.code !== 'InvalidDocument') throw cause
    throw new InsituError(errors.KeyInvalid, 'the file lacks members of a key file', { cause })
  }
}

async function open(sealed: JsonObject, password: string): Promise<LocalKey> {
  const { ciphertext, cipherparams, kdf, mac } = readAs(SEALED, sealed)
  const derived = await (kdf === 'scrypt' ? byScrypt(sealed, password) : byPbkdf2(sealed, password))
  const cipher = fromHex(ciphertext)
  if (digitsOf(keccak256(concat(derived.subarray(16, 32), cipher))) !== digitsOf(fromHex(mac))) {
    // A wrong password and a damaged file both fail the file's checksum.
    throw new InsituError(errors.KeyPasswordWrong, 'the password does not open the file')
  }
  const key = await crypto.subtle.importKey('raw', owned(derived.subarray(0, 16)), 'AES-CTR', false, ['decrypt'])
  const counter = { name: 'AES-CTR', counter: owned(fromHex(cipherparams.iv)), length: 128 }
  return localKey(new Uint8Array(await crypto.subtle.decrypt(counter, key, owned(cipher))))
}

async function byScrypt(sealed: JsonObject, password: string): Promise<Uint8Array> {
  const parameters = { n: integer(2, 2 ** 24), r: integer(1, 64), p: integer(1, 64), dklen: integer(32, 64), salt: hex }
  const { n, r, p, dklen, salt } = readAs(object(parameters), sealed['kdfparams'] ?? null)
  if (128 * n * r > MOST_MEMORY || (n & (n - 1)) !== 0)
    throw new InsituError(errors.KeyInvalid, 'the file asks for too much work')
  return scrypt(utf8(password), fromHex(salt), { N: n, r, p, dkLen: dklen, maxmem: MOST_MEMORY + 2 ** 20 })
}

async function byPbkdf2(sealed: JsonObject, password: string): Promise<Uint8Array> {
  const parameters = { c: integer(1, 10_000_000), dklen: integer(32, 64), salt: hex, prf: oneOf('hmac-sha256') }
  const { c, dklen, salt } = readAs(object(parameters), sealed['kdfparams'] ?? null)
  const key = await crypto.subtle.importKey('raw', owned(utf8(password)), 'PBKDF2', false, ['deriveBits'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: owned(fromHex(salt)), iterations: c }
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, dklen * 8))
}

/** WebCrypto wants bytes of a buffer that nobody shares. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
