import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonTypes, fromHex, mayLeave, typeProblem } from '../../src/domain/index.js'
import { vector } from './vector.js'

const { declared, refused, common, contents } = vector('file-types', 'declared', 'refused', 'common', 'contents')

for (const type of declared) test(`allowed: ${type}`, () => assert.equal(typeProblem(type), undefined))
for (const type of refused) test(`refused: ${JSON.stringify(type)}`, () => assert.ok(typeProblem(type)))

for (const [first, second, both] of common) {
  test(`${first} and ${second} both allow ${both}`, () => {
    assert.deepEqual(commonTypes(first, second), both)
    assert.deepEqual(commonTypes(second, first), both)
  })
}

for (const { name, types, hex, leaves } of contents) {
  test(`${name} (${hex.slice(0, 16)}) under ${types}: ${leaves}`, () =>
    assert.equal(mayLeave(name, fromHex(hex), types), leaves))
}
