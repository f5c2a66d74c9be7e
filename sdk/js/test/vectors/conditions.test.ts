import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONDITIONS, conditionKey, digitsOf, selector } from '../../src/domain/index.js'
import { vector } from './vector.js'

const cases = vector('conditions')

test('there are these conditions', () => assert.equal(CONDITIONS.length, cases.length))

for (const [at, expected] of cases.entries()) {
  test(`${expected.name}: signature, selector and key`, () => {
    const kind = CONDITIONS[at]
    assert.ok(kind)
    assert.deepEqual([kind.name, kind.signature], [expected.name, expected.signature])
    assert.equal(digitsOf(selector(kind.signature)), expected.selector)
    assert.equal(conditionKey(expected.template, expected.controller, kind), expected.conditionKey)
  })
}
