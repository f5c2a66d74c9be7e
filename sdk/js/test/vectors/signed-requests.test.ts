import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSignedRequest, recoverAddress, requestDids, requestDigest, toHex } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const { requests } = vector('signed-requests', 'requests')

for (const { what, request, digest, signer, dids } of requests) {
  test(`${what}: digest, signer and DIDs`, () => {
    const read = readSignedRequest(request)
    assert.equal(toHex(requestDigest(read)), digest)
    assert.equal(recoverAddress(requestDigest(read), read.signature), signer)
    assert.deepEqual(requestDids(read), dids)
  })

  test(`${what}: a member that was not signed is refused`, () => {
    refuses(() => readSignedRequest({ ...request, more: 1 }), 'InvalidDocument')
  })
}

test('two requests under one signature are refused', () => {
  const both = { ...requests[0].request, ...requests[3].request }
  refuses(() => readSignedRequest(both, '/proof/request'), 'InvalidDocument', '/proof/request')
})
