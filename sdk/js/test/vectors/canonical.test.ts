import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, checksum, plainJson } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

for (const { value, canonical, sha3_256 } of vector('canonical')) {
  test(`canonical form and SHA3-256 of ${canonical.slice(0, 40)}`, () => {
    assert.equal(new TextDecoder().decode(canonicalJson(value)), canonical)
    assert.equal(checksum(value), sha3_256)
  })
}

for (const value of [NaN, Infinity, 1n, () => 1, new Date(), new Map(), Symbol('x'), undefined, { a: [new Set()] }]) {
  test(`${String(value)} is not JSON`, () => refuses(() => plainJson(value), 'InvalidDocument'))
}

test('a member named __proto__ is a member', () => {
  const value = JSON.parse('{"__proto__": {"polluted": 1}}')
  assert.equal(new TextDecoder().decode(canonicalJson(value)), '{"__proto__":{"polluted":1}}')
})
