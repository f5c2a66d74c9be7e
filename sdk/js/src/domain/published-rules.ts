import { isInsituError } from '../errors.js'
import { digitsOf, plainDigits, utf8 } from './bytes.js'
import { canonicalJson, isObject, type Json, type JsonObject, keccak256, sha3 } from './canonical.js'
import { type ChecksumMap, didSeed, hashDid } from './did.js'
import type { Address } from './ids.js'

/**
 * How documents of other generations derived checksums and DIDs. Three published SDKs hashed differently; this system
 * writes only its own rule, `insitu`, and recognises the others so that one can say how far an old document can be
 * trusted.
 */
export type PublishedRule = 'insitu' | 'metadata-spec' | 'sdk-java' | 'sdk-py-sorted' | 'sdk-py' | 'sdk-js'

const MAIN_RULES: readonly (readonly [PublishedRule, (main: JsonObject) => Uint8Array])[] = /* @__PURE__ */ (() => [
  ['insitu', main => sha3(canonicalJson(main))],
  ['metadata-spec', main => sha3(utf8(sortedText(main)))],
  ['sdk-java', main => sha3(utf8(sortedText({ files: [], ...main })))],
  ['sdk-py-sorted', main => sha3(utf8(asciiOnly(sortedText(main))))],
  ['sdk-py', main => sha3(utf8(withoutBlanks(main)))],
  ['sdk-js', main => keccak256(utf8(JSON.stringify(main)))],
])()

const DID_RULES: readonly (readonly [PublishedRule, (checksums: ChecksumMap, creator: Address) => string])[] =
  /* @__PURE__ */ (() => [
    ['insitu', (checksums, creator) => hashDid(didSeed(checksums), creator).slice('did:nv:'.length)],
    ['metadata-spec', checksums => digitsOf(sha3(utf8(sortedText(checksums))))],
    ['sdk-java', (checksums, creator) => hashed(sortedText(checksums), creator)],
    ['sdk-js', (checksums, creator) => hashed(JSON.stringify(checksums), creator)],
  ])()

/** Return every rule by which a stated checksum (with or without `0x`) matches a service's `main`, ours first. */
export function mainRules(main: JsonObject, stated: string): PublishedRule[] {
  return MAIN_RULES.filter(([, digest]) => holds(() => digitsOf(digest(main)) === plainDigits(stated))).map(
    ([name]) => name,
  )
}

/** Return every rule by which a DID (64 hexadecimal digits) derives from `proof.checksum` and creator, ours first. */
export function didRules(digits: string, checksums: ChecksumMap, creator: Address): PublishedRule[] {
  return DID_RULES.filter(([, derive]) => holds(() => derive(checksums, creator) === digits)).map(([name]) => name)
}

function holds(judge: () => boolean): boolean {
  try {
    return judge()
  } catch (error) {
    if (isInsituError(error)) return false // it has no canonical form, but an older rule may still match
    throw error
  }
}

function hashed(text: string, creator: Address): string {
  return hashDid(keccak256(utf8(text)), creator).slice('did:nv:'.length)
}

/** Return compact JSON with the names of every object sorted by code points, as Python and Java sort them. */
function sortedText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedText(member)}`).join(',')}}`
}

function asciiOnly(text: string): string {
  return text.replace(/[^\0-\x7f]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The top level sorted, then every blank removed, even inside texts. */
function withoutBlanks(main: JsonObject): string {
  const members = Object.entries(main).sort(([left], [right]) => (left < right ? -1 : 1))
  return asciiOnly(JSON.stringify(Object.fromEntries(members))).replaceAll(' ', '')
}
