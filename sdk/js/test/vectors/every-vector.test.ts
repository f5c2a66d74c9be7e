import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { vectorNames } from './vector.js'

for (const name of vectorNames()) {
  test(`a test of this package reads ${name}.json`, () => {
    assert.ok(existsSync(new URL(`${name}.test.js`, import.meta.url)), `test/vectors/${name}.test.ts is missing`)
  })
}
