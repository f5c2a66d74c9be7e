import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { plainDigits } from './bytes.js'
import { checksum, isObject, type Json, type JsonObject } from './canonical.js'
import type { Ddo } from './ddo.js'
import { type ChecksumMap, type Did, deriveDid, readOlderDid } from './did.js'
import { type Address, readAddress } from './ids.js'
import { requestDigest, requestVersions, type SignedRequest } from './registry-requests.js'
import { accountSignature, personalDigest } from './signatures.js'
import { readSignedRequest } from './signed-request.js'

/**
 * Return the map for `proof.checksum`: index → SHA3-256 of the canonical `main`, for every service with both.
 *
 * @throws InsituError `InvalidDocument` if two services share an index or a `main` has no canonical form
 */
export function serviceChecksums(ddo: Ddo): ChecksumMap {
  const checksums = new Map<string, string>()
  ddo.service.forEach((entry, position) => {
    if (entry.index === undefined || entry.attributes === undefined) return
    const index = String(entry.index)
    if (checksums.has(index)) {
      const pointer = `/service/${position}/index`
      throw new InsituError(errors.InvalidDocument, `two services have index ${index}`, { pointer })
    }
    checksums.set(index, checksum(entry.main))
  })
  return Object.fromEntries(checksums)
}

/**
 * Return the checksum that DIDRegistry has for this version of a document, 64 hexadecimal digits: the SHA3-256 of the
 * canonical document without `proof`, which contains it, and `curation`, which belongs to the marketplace.
 *
 * @throws InsituError `InvalidDocument` if the document has no canonical form
 */
export function onchainChecksum(ddo: Ddo): string {
  return checksum(boundPart(ddo.json))
}

/** Return the part of a DDO's JSON that the on-chain checksum covers. */
export function boundPart(document: JsonObject): JsonObject {
  const { proof: _proof, curation: _curation, ...kept } = document
  const services = kept['service']
  return Array.isArray(services) ? { ...kept, service: services.map(withoutCuration) } : kept
}

function withoutCuration(entry: Json): Json {
  if (!isObject(entry) || !isObject(entry['attributes'])) return entry
  const { curation: _curation, ...attributes } = entry['attributes']
  return { ...entry, attributes }
}

/** Refuse a document that is not the version that the chain names. Throws `ChecksumMismatch` with both checksums. */
export function verifyChecksum(ddo: Ddo, registered: string): void {
  const [actual, expected] = [onchainChecksum(ddo), plainDigits(registered)]
  if (actual === expected) return
  const detail = `the document of ${ddo.id} has checksum ${actual}, but ${expected} is registered`
  throw new InsituError(errors.ChecksumMismatch, detail, { context: { actual, expected } })
}

/** Return the text that the publisher signs (personal_sign) for `proof.signatureValue`: the DID and the version. */
export function proofMessage(did: string, documentChecksum: string): string {
  return `${did}\n${documentChecksum}`
}

/** What proves a version of a document. */
export interface SignedProof {
  /** The 32 bytes that were signed. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  /** The request to the registry, if it is a request's signature. */
  readonly request: SignedRequest | undefined
}

/**
 * Return what proves this version.
 *
 * @throws InsituError `SignatureMismatch` if there is no readable signature or it is for another version; `InvalidDid`;
 * `InvalidDocument`
 */
export function signedProof(ddo: Ddo): SignedProof {
  const request = requestOf(ddo)
  const [did, digits] = [readOlderDid(ddo.id ?? ''), onchainChecksum(ddo)]
  if (request !== undefined) {
    if (!requestVersions(request).some(([named, version]) => named === did && version === digits)) {
      const detail = `proof.request does not register this version of ${ddo.id}`
      throw new InsituError(errors.SignatureMismatch, detail, { pointer: '/proof/request' })
    }
    return { digest: requestDigest(request), signature: accountSignature(request.signature), request }
  }
  if (!ddo.proof?.signatureValue) {
    throw new InsituError(errors.SignatureMismatch, 'the document has no proof.signatureValue', { pointer: '/proof' })
  }
  const digest = personalDigest(proofMessage(did, digits))
  return { digest, signature: accountSignature(ddo.proof.signatureValue), request: undefined }
}

/** Return the signed request that proves a version in place of a signature, if there is one. */
export function requestOf(ddo: Ddo): SignedRequest | undefined {
  const { request, signatureValue } = ddo.proof ?? {}
  return request === undefined || signatureValue ? undefined : readSignedRequest(request, '/proof/request')
}

/**
 * Return the account from which the DID derives, after checking the service checksums and the DID.
 *
 * @throws InsituError `ChecksumMismatch` if a `main` or the DID was changed, `VersionNotAllowed` if there are other
 * services than in version 1, `InvalidDocument`, `InvalidDid` or `InvalidId` if parts are missing
 */
export function creatorOf(ddo: Ddo): Address {
  const { proof } = ddo
  if (proof?.creator === undefined || proof.checksum === undefined) {
    throw new InsituError(errors.InvalidDocument, 'proof needs creator and checksum', { pointer: '/proof' })
  }
  const creator = readAddress(proof.creator)
  requireStated(serviceChecksums(ddo), proof.checksum)
  const first = originOf(ddo)
  if (proof.origin !== undefined && sameMap(first, proof.checksum)) {
    const detail = 'proof.origin repeats proof.checksum: only a version that changed a main has an origin'
    throw new InsituError(errors.VersionNotAllowed, detail, { pointer: '/proof/origin' })
  }
  requireDerived(first, creator, readOlderDid(ddo.id ?? ''))
  if (sortedNames(first).join() !== sortedNames(proof.checksum).join()) {
    const detail = `version 1 of ${ddo.id} has the services ${sortedNames(first).join(', ')}, and a later one keeps them`
    throw new InsituError(errors.VersionNotAllowed, detail, { pointer: '/service' })
  }
  return creator
}

function requireStated(actual: ChecksumMap, stated: ChecksumMap): void {
  for (const index of Object.keys({ ...actual, ...stated }).sort()) {
    if (actual[index] === stated[index]) continue
    const detail = `proof.checksum of service ${index} does not match its main`
    throw new InsituError(errors.ChecksumMismatch, detail, { pointer: `/proof/checksum/${index}` })
  }
}

function requireDerived(first: ChecksumMap, creator: Address, did: Did): void {
  const derived = deriveDid(first, creator)
  if (derived === did) return
  throw new InsituError(errors.ChecksumMismatch, `the DID should be ${derived}, not ${did}`, { pointer: '/id' })
}

/** Return `proof.checksum` of version 1, as this version states it. */
export function originOf(ddo: Ddo): ChecksumMap {
  const { origin, checksum: stated } = ddo.proof ?? {}
  return (origin === undefined ? stated : origin.checksum) ?? {}
}

function sameMap(one: ChecksumMap, other: ChecksumMap): boolean {
  return checksum(one) === checksum(other)
}

function sortedNames(checksums: ChecksumMap): string[] {
  return Object.keys(checksums).sort()
}
