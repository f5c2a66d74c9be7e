import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { type JsonObject, plainJson } from './canonical.js'
import { type Service, service } from './service.js'
import {
  anyObject,
  list,
  object,
  optional,
  type Read,
  type Reader,
  readAs,
  record,
  text,
  withDefault,
} from './shape.js'

const PROOF = /* @__PURE__ */ (() =>
  object({
    type: optional(text),
    created: optional(text),
    creator: optional(text),
    /** 0x and hexadecimal digits; `integrity.ts` has what is signed. */
    signatureValue: optional(text),
    /** In its place: a signed request to the registry that registers this version. */
    request: optional(anyObject),
    /** Service index → checksum of the service's `main`. */
    checksum: optional(record(text)),
    /** What `checksum` was in version 1, if a later version changed a `main`. */
    origin: optional(object({ checksum: optional(record(text)) })),
  }))()

const DDO = /* @__PURE__ */ (() =>
  object({
    id: optional(text),
    created: optional(text),
    updated: optional(text),
    publicKey: withDefault(list(object({ id: optional(text), type: optional(text), owner: optional(text) })), []),
    authentication: withDefault(list(anyObject), []),
    service: withDefault(list(service), []),
    proof: optional(PROOF),
  }))()

/** Who published a document and what its DID commits to. */
export type Proof = Read<typeof PROOF>

/** A DID document: what an asset is, who published it, and which services it offers. */
export interface Ddo extends Read<Reader<Read<typeof DDO>>> {
  /** The document as it was read; nothing of it is lost. */
  readonly json: JsonObject
}

/**
 * Read a DDO from JSON, leniently: fragments, empty services, short DIDs, indices as text, and unknown members are
 * accepted, because documents of several generations exist.
 *
 * @throws InsituError `InvalidDocument` with a JSON pointer to a member of the wrong type
 */
export function readDdo(value: unknown): Ddo {
  const json = readAs(anyObject, plainJson(value))
  return { ...readAs(DDO, json), json }
}

/** Return the service of type metadata, if there is one. */
export function metadataOf(ddo: Ddo): Service | undefined {
  return ddo.service.find(entry => entry.type === 'metadata')
}

/** Return `main` of the metadata service; empty if there is none. */
export function mainOf(ddo: Ddo): JsonObject {
  return metadataOf(ddo)?.main ?? {}
}

/** Return `dataset`, `algorithm`, `workflow`, …; empty if the document does not say. */
export function assetTypeOf(ddo: Ddo): string {
  const type = mainOf(ddo)['type']
  return typeof type === 'string' ? type : ''
}

/**
 * Return the compute service with this index, or the one with the smallest index.
 *
 * @throws InsituError `ServiceNotFound`, or `NoComputeService` if the asset offers none
 */
export function computeServiceOf(ddo: Ddo, index?: number): Service {
  const offered = ddo.service.filter(entry => entry.type === 'compute')
  if (index !== undefined) {
    const found = offered.find(entry => entry.index === index)
    if (found) return found
    throw new InsituError(errors.ServiceNotFound, `${ddo.id} has no compute service ${index}`)
  }
  const [first] = [...offered].sort((left, right) => (left.index ?? Infinity) - (right.index ?? Infinity))
  if (!first) throw new InsituError(errors.NoComputeService, `${ddo.id} offers no compute service`)
  return first
}
