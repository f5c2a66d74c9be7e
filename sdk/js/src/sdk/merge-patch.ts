import * as errors from '../api/errors.gen.js'
import { canonicalJson, isObject, type Json, type JsonObject } from '../domain/canonical.js'
import type { Ddo } from '../domain/ddo.js'
import { readDescription } from '../domain/description.js'
import { withPrice } from '../domain/version-changes.js'
import { InsituError } from '../errors.js'

/**
 * Return the entries of `service[]` with changes merged in: a member replaces, null removes (RFC 7396). The agreement's
 * template follows the price.
 *
 * @param services - each names the entry that it changes by index, or by type
 * @throws InsituError `ServiceNotFound` for any other entry, `InvalidDocument`
 */
export function reviseServices(ddo: Ddo, assetMetadata: unknown, services: readonly unknown[] = []): JsonObject[] {
  const described = readDescription(assetMetadata, services)
  const { additionalInformation, ...attributes } = described.attributes
  const isTold = isObject(additionalInformation) && Object.keys(additionalInformation).length > 0
  const change = { type: 'metadata', attributes: { ...attributes, ...(isTold && { additionalInformation }) } }
  const entries = ddo.service.map(entry => entry.json)
  for (const wanted of [change as JsonObject, ...described.services]) {
    const at = positionOf(ddo, wanted)
    entries[at] = followingPrice(mergePatch(entries[at], wanted) as JsonObject, wanted)
  }
  return entries
}

/** Return the entries of `service[]` with a merge patch of what describes the asset, also of its sealed list. */
export function patchMetadata(entries: readonly JsonObject[], attributes: JsonObject): JsonObject[] {
  return entries.map(entry => {
    return entry['type'] === 'metadata' ? (mergePatch(entry, { attributes }) as JsonObject) : entry
  })
}

/** Return a JSON value with a merge patch applied (RFC 7396). */
export function mergePatch(present: Json | undefined, change: Json): Json {
  if (!isObject(change)) return change
  const merged = new Map(Object.entries(isObject(present) ? present : {}))
  for (const [name, member] of Object.entries(change)) {
    if (member === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), member))
  }
  return Object.fromEntries(merged)
}

/** Return whether two lists of services are the same JSON. */
export function sameServices(one: readonly JsonObject[], other: readonly JsonObject[]): boolean {
  return same([...one], [...other])
}

function positionOf(ddo: Ddo, wanted: JsonObject): number {
  const index = wanted['index'] ?? wanted['serviceDefinitionId']
  const at = ddo.service.findIndex(entry => {
    return index === undefined ? entry.type === wanted['type'] : entry.index === Number(index)
  })
  if (at >= 0) return at
  throw new InsituError(errors.ServiceNotFound, `${ddo.id} has no service ${index ?? wanted['type']}`)
}

function followingPrice(entry: JsonObject, change: JsonObject): JsonObject {
  const [main, wanted] = [entry, change].map(({ attributes }) => isObject(attributes) && attributes['main'])
  if (entry['type'] !== 'compute' || !isObject(main) || !isObject(wanted) || !('price' in wanted)) return entry
  const template = main['serviceAgreementTemplate']
  if (template === undefined) return entry
  const priced = { ...main, serviceAgreementTemplate: withPrice(template, String(main['price'])) }
  return { ...entry, attributes: { ...(entry['attributes'] as JsonObject), main: priced } }
}

function same(one: Json, other: Json): boolean {
  return String(canonicalJson(one)) === String(canonicalJson(other))
}
