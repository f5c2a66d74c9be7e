import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digitsOf, envelopeDigest, fromBase64, toBase64, utf8 } from '../../src/domain/index.js'
import { isInsituError, readEnvelope, receiptHash, verifyReceipt } from '../../src/verify.js'
import { vector } from './vector.js'

const cases = vector('receipt')

for (const { name, form, refused, signer, receiptHash: hash, digest, payload, envelope } of cases) {
  test(name, () => {
    assert.equal(new TextDecoder().decode(fromBase64(envelope.payload)), payload)
    assert.equal(digitsOf(envelopeDigest(utf8(payload))), digest)
    assert.equal(receiptHash(utf8(payload)), hash)
    if (refused !== null) {
      assert.throws(
        () => verifyReceipt(readEnvelope(envelope)),
        (error: unknown) => isInsituError(error) && error.code === 'ReceiptInvalid' && error.detail.includes(refused),
      )
      return
    }
    const found = verifyReceipt(readEnvelope(envelope))
    assert.deepEqual([found.receiptHash, found.signer], [hash, signer])
    assert.ok(found.statement.predicateType.endsWith(form))
    assert.ok(found.checked.length >= 9)
  })
}

const [{ payload, envelope }] = cases

for (const [what, changed] of [
  ['another type of payload', { ...envelope, payloadType: 'text/plain' }],
  ['a payload with a blank more', { ...envelope, payload: toBase64(utf8(`${payload} `)) }],
  ['a payload that is not base64', { ...envelope, payload: '?' }],
  ['no signature', { ...envelope, signatures: [] }],
  [
    'another name for the signer',
    { ...envelope, signatures: [{ ...envelope.signatures[0], keyid: `0x${'11'.repeat(20)}` }] },
  ],
  ['something else', 7],
] as const) {
  test(`refused: ${what}`, () => {
    assert.throws(() => verifyReceipt(readEnvelope(changed)), { code: 'ReceiptInvalid' })
  })
}
