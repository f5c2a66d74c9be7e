import * as errors from '../api/errors.gen.js'
import { type Hex, toHex } from '../domain/bytes.js'
import { checksum, isObject, type JsonObject, plainJson } from '../domain/canonical.js'
import { type Ddo, readDdo } from '../domain/ddo.js'
import { type ChecksumMap, type Did, didSeed, hashDid } from '../domain/did.js'
import { type Address, sameAddress } from '../domain/ids.js'
import { onchainChecksum, originOf, signedProof } from '../domain/integrity.js'
import type { SignedRequest } from '../domain/registry-requests.js'
import { signerOf } from '../domain/signatures.js'
import { InsituError, isInsituError } from '../errors.js'

/** A document that is complete except for what proves it. */
export interface UnsignedDdo {
  readonly did: Did
  /** From which the registry derives the DID, with the creator. */
  readonly seed: Hex
  /** On-chain checksum of this version, 64 hexadecimal digits. */
  readonly checksum: string
  readonly json: JsonObject
}

/** The DID that services will have, and the checksums behind it. */
export interface Identity {
  readonly did: Did
  readonly seed: Hex
  /** Index of a service → SHA3-256 of its `main`. */
  readonly checksums: ChecksumMap
}

/** Return the DID of services that an account publishes. Throws `InvalidDocument` if one has no index or `main`. */
export function identify(services: readonly JsonObject[], creator: Address): Identity {
  const checksums: Record<string, string> = {}
  for (const [position, { index, attributes }] of services.entries()) {
    const main = isObject(attributes) ? attributes['main'] : undefined
    const isNew = Number.isInteger(index) && !Object.hasOwn(checksums, String(index))
    if (!isNew || !isObject(main)) {
      const detail = 'a service needs an index of its own, and main'
      throw new InsituError(errors.InvalidDocument, detail, { pointer: `/service/${position}` })
    }
    checksums[String(index)] = checksum(main)
  }
  const seed = didSeed(checksums)
  return { did: hashDid(seed, creator), seed: toHex(seed), checksums }
}

/**
 * Put a document together (P1).
 *
 * @param created - the current time, without fractions of a second
 * @param keyOwner - owner of the published key
 * @param sealed - the sealed list of files, if they have urls
 */
export function assemble(
  services: readonly JsonObject[],
  creator: Address,
  created: string,
  keyOwner: Address,
  sealed: string | undefined,
): UnsignedDdo {
  const { did, seed, checksums } = identify(services, creator)
  const entries = services.map(entry => {
    const serviceEndpoint = String(entry['serviceEndpoint'] ?? '').replaceAll('{did}', did)
    const isSealed = sealed !== undefined && entry['type'] === 'metadata' && isObject(entry['attributes'])
    const attributes = isSealed
      ? { ...(entry['attributes'] as JsonObject), encryptedFiles: sealed }
      : entry['attributes']
    return { ...entry, serviceEndpoint, attributes }
  })
  const json = plainJson({
    '@context': 'https://w3id.org/did/v1',
    id: did,
    created,
    publicKey: [{ id: did, type: 'EthereumECDSAKey', owner: keyOwner }],
    authentication: [{ type: 'EthereumECDSAAuthentication', publicKey: did }],
    service: entries,
    proof: { type: 'DDOIntegritySignature', created, creator, checksum: checksums },
  }) as JsonObject
  return { did, seed, json, checksum: onchainChecksum(readDdo(json)) }
}

/**
 * Make a new version of a published document. The DID stays, and the on-chain checksum changes.
 *
 * @param services - the new entries of `service[]`
 * @param signer - the on-chain owner, who signs this version; `proof.creator` stays the creator of the DID
 * @param updated - the current time, without fractions of a second
 * @throws InsituError `InvalidDocument`
 */
export function reviseDdo(ddo: Ddo, services: readonly JsonObject[], signer: Address, updated: string): UnsignedDdo {
  if (ddo.proof?.checksum === undefined) {
    throw new InsituError(errors.InvalidDocument, 'the document has no proof.checksum', { pointer: '/proof' })
  }
  const { checksums } = identify(services, signer)
  const first = originOf(ddo)
  const { signatureValue: _signature, request: _request, origin: _origin, ...kept } = ddo.json['proof'] as JsonObject
  const changed = checksum(checksums) !== checksum(first)
  const proof = {
    ...kept,
    created: updated,
    signer,
    checksum: checksums,
    ...(changed && { origin: { checksum: first } }),
  }
  const json = plainJson({ ...ddo.json, service: services, updated, proof }) as JsonObject
  return { did: ddo.id as Did, seed: toHex(didSeed(first)), json, checksum: onchainChecksum(readDdo(json)) }
}

/** Return a published document without what proves it, so that it can be proved again. */
export function unsignedAgain(ddo: Ddo): UnsignedDdo {
  const { signatureValue: _signature, request: _request, ...proof } = ddo.json['proof'] as JsonObject
  const json = { ...ddo.json, proof }
  return { did: ddo.id as Did, seed: toHex(didSeed(originOf(ddo))), json, checksum: onchainChecksum(ddo) }
}

/** Return a document with the signed request that registers this version as its proof. */
export function provedBy(unsigned: UnsignedDdo, request: SignedRequest): JsonObject {
  return { ...unsigned.json, proof: { ...(unsigned.json['proof'] as JsonObject), request: plainJson(request) } }
}

/** Return whether this account signed a document, or a request that registers it. */
export function isSignedBy(ddo: Ddo, account: Address): boolean {
  try {
    const { digest, signature } = signedProof(ddo)
    return sameAddress(signerOf(digest, signature) ?? '', account)
  } catch (error) {
    if (!isInsituError(error)) throw error
    return false
  }
}
