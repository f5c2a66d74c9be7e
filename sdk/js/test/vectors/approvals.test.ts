import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APPROVAL_TYPES, approvalTypedData, recoverAddress, toHex, typedDataDigest } from '../../src/domain/index.js'
import { vector } from './vector.js'

const { chainId, registry, types, cases } = vector('approvals', 'chainId', 'registry', 'types', 'cases')

test('the structs are those of the vector', () => assert.deepEqual(APPROVAL_TYPES, types))

for (const { kind, members, digest, signature, signer } of cases) {
  test(`${kind}: digest and signer`, () => {
    const signed = typedDataDigest(approvalTypedData(kind, members, chainId, registry))
    assert.equal(toHex(signed), digest)
    assert.equal(recoverAddress(signed, signature), signer)
  })
}

test('a statement with another member is a mistake of the caller', () => {
  const { kind, members } = cases[0]
  assert.throws(() => approvalTypedData(kind, { ...members, more: 1 }, chainId, registry), TypeError)
})
