import { isObject, type Json } from './canonical.js'
import type { Ddo } from './ddo.js'
import type { Service } from './service.js'

/** One member of a service that a version changes. The values are those of the documents: they may have any characters. */
export interface Change {
  /** Type of the service, such as `compute`. */
  readonly service: string
  /** Names of the member and of what it is in, such as `policy.output.maxBytes`; a list is a member as a whole. */
  readonly path: string
  /** Undefined if it was or is not there. */
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/**
 * Return each member of a service that two versions of a document have differently, in the order of the services.
 *
 * A `serviceAgreementTemplate` is compared and given without its price, which is a member of its own, and it is one
 * member, as is `encryptedFiles`: few people want to read them.
 */
export function changesBetween(before: Ddo, after: Ddo): Change[] {
  const earlier = new Map(before.service.map(entry => [entry.index, entry]))
  return after.service.flatMap(entry => {
    const was = membersOf(earlier.get(entry.index))
    const is = membersOf(entry)
    return [...new Set([...was.keys(), ...is.keys()])]
      .filter(path => JSON.stringify(sorted(was.get(path))) !== JSON.stringify(sorted(is.get(path))))
      .map(path => ({ service: entry.type ?? '', path, before: was.get(path), after: is.get(path) }))
  })
}

function membersOf(entry: Service | undefined): Map<string, Json> {
  const found = new Map<string, Json>()
  if (entry === undefined) return found
  const { additionalInformation, encryptedFiles } = entry.attributes ?? {}
  const { serviceEndpoint, templateId } = entry
  flatten('', { ...entry.main, additionalInformation, encryptedFiles, serviceEndpoint, templateId }, found)
  return found
}

function flatten(path: string, value: Members | Json | undefined, found: Map<string, Json>): void {
  if (value === undefined || value === null) return
  if (path === 'serviceAgreementTemplate') found.set(path, withPrice(value as Json, ''))
  else if (typeof value !== 'object' || Array.isArray(value)) found.set(path, value as Json)
  else {
    for (const [name, member] of Object.entries(value)) flatten(path ? `${path}.${name}` : name, member, found)
  }
}

type Members = { readonly [name: string]: Json | undefined }

/** Return a `serviceAgreementTemplate` with another price: the value of its parameter `_amount`. */
export function withPrice(template: Json, price: string): Json {
  if (Array.isArray(template)) return template.map((part: Json) => withPrice(part, price))
  if (!isObject(template)) return template
  const changed = Object.fromEntries(Object.entries(template).map(([name, part]) => [name, withPrice(part, price)]))
  return template['name'] === '_amount' ? { ...changed, value: price } : changed
}

/** Return a value in which the order of members says nothing. */
function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map(item => sorted(item) ?? null)
  if (!isObject(value)) return value
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return members.map(([name, member]) => [name, sorted(member) ?? null])
}
