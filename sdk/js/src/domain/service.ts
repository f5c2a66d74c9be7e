import { plainDigits } from './bytes.js'
import { isObject, type JsonObject } from './canonical.js'
import { anyObject, anything, object, optional, type Read, type Reader, refuse, text, withDefault } from './shape.js'

/** The index that each type of service usually has. */
export const DEFAULT_INDICES: Readonly<Record<string, number>> = {
  metadata: 0,
  provenance: 1,
  authorization: 2,
  access: 3,
  compute: 4,
}

/** Reads an index; older documents write it as text of digits. */
export const index: Reader<number> = (value, place) => {
  const number = typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : value
  const fits = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < 2 ** 32
  return fits ? number : refuse('an index is a whole number below 2^32', place)
}

const ENTRY = /* @__PURE__ */ (() => {
  const attributes = object(
    {
      main: withDefault(anyObject, {}),
      additionalInformation: optional(anyObject),
      curation: optional(anyObject),
      encryptedFiles: anything,
      serviceAgreementTemplate: optional(anyObject),
    },
    { additionalInformation: 'additional' },
  )
  return object(
    {
      index: optional(index),
      type: optional(text),
      serviceEndpoint: optional(text),
      templateId: optional(text),
      attributes: optional(attributes),
    },
    { index: 'serviceDefinitionId' },
  )
})()

/** One entry of `service[]`. */
export interface Service extends Read<Reader<Read<typeof ENTRY>>> {
  /** `attributes.main`; empty if there is none. The DID commits to that of version 1. */
  readonly main: JsonObject
  /** The entry as it was read. */
  readonly json: JsonObject
}

/** Reads an entry of `service[]`, leniently: unknown members stay, and older names are understood. */
export const service: Reader<Service> = (value, place) => {
  const read = ENTRY(value, place)
  return { ...read, main: read.attributes?.main ?? {}, json: value as JsonObject }
}

/** Return the `serviceAgreementTemplate` of a service, from `main` or from where older documents have it. */
export function templateOf(entry: Service): JsonObject | undefined {
  const places = [
    entry.main['serviceAgreementTemplate'],
    entry.attributes?.serviceAgreementTemplate,
    entry.json['serviceAgreementTemplate'],
  ]
  return places.find(isObject)
}

/** Return the digits of a SHA-256 that is written with or without `sha256:` or `0x`, or undefined if it is none. */
export function sha256Of(checksum: string | undefined): string | undefined {
  const digits = plainDigits((checksum ?? '').toLowerCase().replace(/^sha256:/, ''))
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined
}
