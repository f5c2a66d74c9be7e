import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CATALOGUE_TYPES,
  catalogueTypedData,
  isListedByDefault,
  recoverAddress,
  toHex,
  typedDataDigest,
} from '../../src/domain/index.js'
import { vector } from './vector.js'

const { chainId, registry, types, cases, listedByDefault } = vector(
  'catalogue-requests',
  'chainId',
  'registry',
  'types',
  'cases',
  'listedByDefault',
)

test('the structs are those of the vector', () => assert.deepEqual(CATALOGUE_TYPES, types))

for (const { kind, members, digest, signature, signer } of cases) {
  test(`${kind}: digest and signer`, () => {
    const signed = typedDataDigest(catalogueTypedData(kind, members, chainId, registry))
    assert.equal(toHex(signed), digest)
    assert.equal(recoverAddress(signed, signature), signer)
  })
}

test('data sets are listed at first, except results, and nothing else', () => {
  for (const { main, listed } of listedByDefault) assert.equal(isListedByDefault(main), listed)
})
