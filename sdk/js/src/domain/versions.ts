import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import type { Ddo } from './ddo.js'
import { sameAddress } from './ids.js'
import type { Service } from './service.js'

/**
 * Refuse a version that changes more than a version may: every member of a `main` may change but its type; the pairs of
 * index and type stay; a service moves only to an approved template (ADR 0120).
 *
 * @param before - an earlier version of the same DID
 * @param templates - addresses of approved templates
 * @throws InsituError `VersionNotAllowed` with a pointer
 */
export function requireAllowedChange(before: Ddo, after: Ddo, templates: readonly string[]): void {
  const earlier = new Map(before.service.map(entry => [keyOf(entry), entry]))
  if (keysOf(before) !== keysOf(after)) throw refusal(`a version keeps the services ${keysOf(before)}`, '/service')
  after.service.forEach((entry, position) => {
    const was = earlier.get(keyOf(entry))
    const [is, kind] = [entry.main['type'], was?.main['type']]
    if (is !== kind) {
      throw refusal(`the type is ${kind} in every version, not ${is}`, `/service/${position}/attributes/main/type`)
    }
    const [moved, stayed] = [entry.templateId ?? '', was?.templateId ?? '']
    if (!sameAddress(moved, stayed) && !templates.some(template => sameAddress(template, moved))) {
      throw refusal(`the template ${moved} is not approved here`, `/service/${position}/templateId`)
    }
  })
}

/** Refuse an origin in version 1, which would let it differ from what its DID derives from. Throws `VersionNotAllowed`. */
export function requireNumber(ddo: Ddo, number: number): void {
  if (number === 1 && ddo.proof?.origin !== undefined) {
    throw refusal('version 1 is the origin and cannot have another one', '/proof/origin')
  }
}

function keyOf(entry: Service): string {
  return `${entry.index ?? -1} (${entry.type ?? ''})`
}

function keysOf(ddo: Ddo): string {
  return ddo.service.map(keyOf).sort().join(', ')
}

function refusal(detail: string, pointer: string): InsituError {
  return new InsituError(errors.VersionNotAllowed, detail, { pointer })
}
