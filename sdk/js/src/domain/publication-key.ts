import { digitsOf } from './bytes.js'
import { canonicalJson, isObject, type Json, type JsonObject, sha256 } from './canonical.js'
import type { Address } from './ids.js'

/** Where something is published: chain, registry, and the gateway's address without the path of the API. */
export interface PublicationPlace {
  readonly chainId: number
  readonly registry: Address
  readonly gateway: string
}

/**
 * Return the Idempotency-Key of a publication: the same description has the same key in every SDK (ADR 0129).
 *
 * It is the SHA-256 of the canonical JSON of purpose, chain, registry, gateway, creator and description, 64 hexadecimal
 * digits. The list itself never leaves the client, because it names the urls that the gateway seals.
 *
 * @param description - as the caller gave it, before any default is filled in
 * @param digests - `upload:` url → SHA-256 of its bytes, which stands in its place: each upload has another url
 */
export function publicationKey(
  place: PublicationPlace,
  creator: Address,
  description: JsonObject,
  digests: Readonly<Record<string, string>> = {},
): string {
  const { chainId, registry, gateway } = place
  const described = withDigests(description, new Map(Object.entries(digests)))
  return digitsOf(sha256(canonicalJson(['insitu publication', chainId, registry, gateway, creator, described])))
}

function withDigests(value: Json, digests: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return digests.get(value) ?? value
  if (Array.isArray(value)) return value.map(entry => withDigests(entry, digests))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withDigests(member, digests)]))
}
