import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { fromBase64url, toBase64url, toHex, utf8 } from './bytes.js'
import { isObject, type JsonObject } from './canonical.js'
import { type Address, readAddress } from './ids.js'
import { readJson } from './json-text.js'
import { accountSignature, completeHalves, es256kDigest, personalDigest, signerOf } from './signatures.js'

const MAX_ASSERTION = 8192
const LIFETIME = 300

/** A signed JWT with which a wallet signs in (RFC 7523), before anybody judged whose signature it is. */
export interface Assertion {
  readonly claims: JsonObject
  /** `iss`, the account that signs in. */
  readonly account: Address
  /** The 32 bytes that were signed: those of ES256K, or of personal_sign. */
  readonly digest: Uint8Array
  /** 65 bytes of a key, or what a contract account accepts. */
  readonly signature: Uint8Array
}

/**
 * Return what is signed to sign in for operations of a gateway, once, now: `header.payload` of a JWT.
 *
 * @param audience - url of an operation; a list opens a session
 * @param now - seconds since 1970
 * @param nonce - at most 128 characters that were never used before
 * @param personal - the account signs it as a text (personal_sign), because its wallet signs no digests
 */
export function assertionText(
  account: Address,
  audience: string | readonly string[],
  now: number,
  nonce: string,
  personal = false,
): string {
  const header = { alg: 'ES256K', typ: 'JWT' }
  const claims = {
    iss: account,
    aud: audience,
    iat: now,
    exp: now + LIFETIME,
    jti: nonce,
    ...(personal && { eths: 'personal' }),
  }
  return [header, claims].map(part => toBase64url(utf8(JSON.stringify(part)))).join('.')
}

/** Return the whole assertion from its text and the signature of {@link es256kDigest} of it. */
export function signedAssertion(text: string, account: Address, signature: Uint8Array): string {
  const isKeys = signerOf(es256kDigest(text), signature) === account
  return `${text}.${toBase64url(isKeys ? signature.subarray(0, 64) : signature)}`
}

/**
 * Read an assertion.
 *
 * @throws InsituError `InvalidToken` if it is not one, `InvalidId` for an issuer that is no address, `SignatureMismatch`
 * if its signature of 64 bytes is not the issuer's
 */
export function readAssertion(assertion: string): Assertion {
  const [header = '', payload = '', signed = '', ...more] = assertion.split('.')
  if (assertion.length > MAX_ASSERTION || more.length > 0) throw invalid('the assertion is not a signed JWT')
  if (part(header)['alg'] !== 'ES256K') throw invalid('the assertion must be signed with ES256K')
  const claims = part(payload)
  if (typeof claims['iss'] !== 'string') throw invalid('the assertion needs iss, the address of the wallet')
  const account = readAddress(claims['iss'])
  const personal = claims['eths'] === 'personal'
  if (!personal && claims['eths'] !== undefined && claims['eths'] !== null)
    throw invalid('eths is either absent or personal')
  const text = `${header}.${payload}`
  const digest = personal ? personalDigest(text) : es256kDigest(text)
  const raw = decode(signed)
  const signature = raw.length === 64 ? completeHalves(digest, raw, account) : raw
  return { claims, account, digest, signature: accountSignature(toHex(signature)) }
}

function part(text: string): JsonObject {
  try {
    const value = readJson(new TextDecoder('utf-8', { fatal: true }).decode(decode(text)))
    if (isObject(value)) return value
  } catch (error) {
    if (!isInsituError(error) && !(error instanceof TypeError)) throw error
  }
  throw invalid('the assertion is not a signed JWT')
}

function decode(text: string): Uint8Array {
  return fromBase64url(text) ?? refuse()
}

function refuse(): never {
  throw invalid('a part of the assertion is not base64url')
}

function invalid(detail: string): InsituError {
  return new InsituError(errors.InvalidToken, detail)
}
