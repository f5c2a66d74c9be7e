import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDdo } from '../../src/domain/index.js'
import { changesBetween } from '../../src/rules.js'
import { patched, vector } from './vector.js'

const { before, cases } = vector('version-changes', 'before', 'cases')

for (const { name, patch, changes } of cases) {
  test(`a version changes: ${name}`, () => {
    const found = changesBetween(readDdo(before), readDdo(patched(before, patch)))
    const shown = found.map(({ before: was = null, after: is = null, ...rest }) => ({
      ...rest,
      before: was,
      after: is,
    }))
    assert.deepEqual(shown, changes)
  })
}
