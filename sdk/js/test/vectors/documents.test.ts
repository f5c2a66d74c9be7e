import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  creatorOf,
  deriveDid,
  didSeed,
  digitsOf,
  onchainChecksum,
  originOf,
  personalDigest,
  proofMessage,
  readDdo,
  recoverAddress,
  serviceChecksums,
  signedProof,
  verifyChecksum,
} from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

for (const { name, creator, seed, checksum, digest, document } of vector('documents')) {
  const ddo = readDdo(document)

  test(`${name}: the DID derives from checksums and creator`, () => {
    assert.equal(digitsOf(didSeed(originOf(ddo))), seed)
    assert.equal(deriveDid(originOf(ddo), creator), ddo.id)
    assert.deepEqual(serviceChecksums(ddo), ddo.proof?.checksum)
    assert.equal(creatorOf(ddo), creator)
  })

  test(`${name}: the on-chain checksum and what the creator signs`, () => {
    assert.equal(onchainChecksum(ddo), checksum)
    assert.equal(digitsOf(personalDigest(proofMessage(ddo.id ?? '', checksum))), digest)
    const proof = signedProof(ddo)
    assert.equal(recoverAddress(proof.digest, proof.signature), creator)
    verifyChecksum(ddo, `0x${checksum.toUpperCase()}`)
  })

  test(`${name}: reading loses nothing`, () => assert.deepEqual(ddo.json, document))

  test(`${name}: a changed document is noticed, also by its curation`, () => {
    refuses(
      () => verifyChecksum(readDdo({ ...document, created: '2020-01-01T00:00:00Z' }), checksum),
      'ChecksumMismatch',
    )
    const main = { ...document.service[0].attributes.main, price: '1' }
    const service = [{ ...document.service[0], attributes: { main } }, ...document.service.slice(1)]
    refuses(() => creatorOf(readDdo({ ...document, service })), 'ChecksumMismatch', '/proof/checksum/0')
    verifyChecksum(readDdo({ ...document, curation: { rating: 1 } }), checksum)
  })
}
