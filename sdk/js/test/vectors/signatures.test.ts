import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  completeHalves,
  digitsOf,
  es256kDigest,
  fromHex,
  personalDigest,
  recoverAddress,
  toHex,
} from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const DIGESTS: Record<string, (message: string) => Uint8Array> = { personal_sign: personalDigest, ES256K: es256kDigest }

for (const { name, message, digest, signature, signer } of vector('signatures')) {
  test(`${name}: digest, signer, and the same without v`, () => {
    const signed = DIGESTS[name]?.(message) ?? new Uint8Array()
    assert.equal(digitsOf(signed), digest)
    assert.equal(recoverAddress(signed, signature), signer)
    assert.equal(toHex(completeHalves(signed, fromHex(signature).subarray(0, 64), signer)), signature)
  })

  test(`${name}: a signature in another form is refused`, () => {
    const raw = fromHex(signature)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const high = (order - BigInt(toHex(raw.subarray(32, 64)))).toString(16).padStart(64, '0')
    const signed = fromHex(digest)
    for (const wrong of [
      signature.slice(0, -2),
      `${signature.slice(0, -2)}1d`,
      `${signature.slice(0, 66)}${high}1b`,
      '0x',
      'no',
    ]) {
      refuses(() => recoverAddress(signed, wrong), 'SignatureMismatch')
    }
    const lowered = completeHalves(signed, fromHex(`${signature.slice(0, 66)}${high}`), signer)
    assert.equal(recoverAddress(signed, lowered), signer)
  })
}
