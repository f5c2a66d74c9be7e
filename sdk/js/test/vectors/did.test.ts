import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  deriveDid,
  didHex,
  didOfHex,
  didRules,
  didSeed,
  digitsOf,
  isDid,
  mainRules,
  readDid,
} from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const { valid, invalid, derived, published, mains } = vector('did', 'valid', 'invalid', 'derived', 'published', 'mains')

/** The creator of the documents in `published`. */
const CREATOR = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'

for (const text of valid) {
  test(`${text} is a DID`, () => {
    assert.equal(readDid(text), text)
    assert.equal(didOfHex(didHex(text)), text)
  })
}

for (const text of invalid) {
  test(`${JSON.stringify(text)} is not a DID`, () => {
    assert.equal(isDid(text), false)
    refuses(() => readDid(text), 'InvalidDid')
  })
}

for (const { checksums, creator, seed, did } of derived) {
  test(`${did} derives from checksums and creator`, () => {
    assert.equal(digitsOf(didSeed(checksums)), seed)
    assert.equal(deriveDid(checksums, creator), did)
  })
}

for (const { checksums, digits, rule } of published) {
  test(`the DID ${digits.slice(0, 12)} follows the rule ${rule}`, () => {
    assert.equal(didRules(digits, checksums, CREATOR)[0] ?? null, rule)
  })
}

for (const { main, checksum, rule } of mains) {
  test(`the checksum ${checksum.slice(0, 12)} follows the rule ${rule}`, () => {
    assert.equal(mainRules(main, checksum)[0] ?? null, rule)
  })
}
