import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { isObject, type Json, type JsonObject, plainJson } from './canonical.js'
import { agreementTemplate } from './conditions.js'
import type { Address } from './ids.js'
import { parseAmount } from './money.js'
import { DEFAULT_INDICES, index } from './service.js'
import { optional, readAs } from './shape.js'

/** Where an asset is published: the urls of catalogue and gateway, the template's contract, and its chain. */
export interface Surroundings {
  /** Url of a document in the catalogue; `{did}` in it stands for the DID. */
  readonly metadataAddress: string
  readonly gatewayUrl: string
  readonly contract: Address
  readonly chainId: number
}

/** An asset as its publisher describes it. */
export interface Description {
  /** Attributes of the metadata service. */
  readonly attributes: JsonObject & { readonly main: JsonObject }
  readonly files: readonly JsonObject[]
  /** The other services. */
  readonly services: readonly JsonObject[]
}

const ATTRIBUTES = ['main', 'additionalInformation', 'curation', 'encryptedFiles']

/**
 * Read a description: either `{main, additionalInformation}`, or `main` alone.
 *
 * @throws InsituError `InvalidDocument` for values that are not JSON, and for the sealed list of another document
 */
export function readDescription(assetMetadata: unknown, services: readonly unknown[] = []): Description {
  const given = objectOf(plainJson(assetMetadata), '')
  const names = Object.keys(given)
  const isWhole = isObject(given['main']) || (names.length > 0 && names.every(name => ATTRIBUTES.includes(name)))
  const attributes: JsonObject = isWhole ? given : { main: given }
  if ('encryptedFiles' in attributes) {
    const detail = 'a sealed list opens only in the document it was sealed for; name the files with their URLs instead'
    throw new InsituError(errors.InvalidDocument, detail, { pointer: '/encryptedFiles' })
  }
  const main = objectOf(attributes['main'] ?? {}, '/main')
  const listed = Array.isArray(main['files']) ? main['files'].filter(isObject) : []
  return {
    attributes: { additionalInformation: {}, ...attributes, main },
    files: listed.map((file, position) => ({ index: position, ...file })),
    services: services.map(entry => objectOf(plainJson(entry), '/service')),
  }
}

/**
 * Return the entries of `service[]` of a description. Given members stay, and missing ones are filled in (P1).
 *
 * @param files - the list of files in the form that may be public
 * @param created - the current time, such as `2026-01-02T03:04:05Z`
 */
export function completeServices(
  description: Description,
  files: readonly JsonObject[],
  surroundings: Surroundings,
  creator: Address,
  created: string,
): JsonObject[] {
  const main = { ...assetDefaults(created), ...description.attributes.main, files }
  const entries: JsonObject[] = [
    {
      index: 0,
      type: 'metadata',
      serviceEndpoint: surroundings.metadataAddress,
      attributes: { ...description.attributes, main },
    },
  ]
  for (const given of description.services) {
    const taken = entries.map(entry => entry['index'])
    const { serviceDefinitionId, ...entry } = given
    const stated = readAs(optional(index), entry['index'] ?? serviceDefinitionId ?? null, '/service/index')
    const numbered = { ...entry, index: stated ?? freeIndex(String(entry['type']), taken) }
    entries.push(entry['type'] === 'compute' ? completeCompute(numbered, surroundings, creator, created) : numbered)
  }
  return entries
}

function assetDefaults(created: string): JsonObject {
  const dates = { dateCreated: created, datePublished: created }
  return { type: 'dataset', ...dates, author: '', license: 'No License Specified', price: '0', files: [] }
}

function completeCompute(entry: JsonObject, surroundings: Surroundings, creator: Address, created: string): JsonObject {
  const attributes = isObject(entry['attributes']) ? entry['attributes'] : {}
  const main: JsonObject = {
    name: 'dataAssetComputeServiceAgreement',
    creator,
    datePublished: created,
    price: '0',
    timeout: 86400,
    ...(isObject(attributes['main']) ? attributes['main'] : {}),
  }
  const hasTemplate = 'serviceAgreementTemplate' in main || 'serviceAgreementTemplate' in attributes
  const { contract, chainId } = surroundings
  const template = hasTemplate
    ? {}
    : { serviceAgreementTemplate: agreementTemplate(contract, chainId, parseAmount(main['price'])) }
  return {
    serviceEndpoint: `${surroundings.gatewayUrl}/api/v1/gateway/services/exec`,
    templateId: contract,
    ...entry,
    attributes: { ...attributes, main: { ...main, ...template } },
  }
}

function freeIndex(type: string, taken: readonly (Json | undefined)[]): number {
  let free = DEFAULT_INDICES[type] ?? 5
  while (taken.includes(free)) free += 1
  return free
}

function objectOf(value: Json, pointer: string): JsonObject {
  if (isObject(value)) return value
  throw new InsituError(errors.InvalidDocument, 'an object is needed', { pointer })
}
