import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entrypointOf } from '../../src/sdk/algorithm-files.js'

const STARTS = { 'Count.java': 'java Count.java', 'count.JAR': 'java -jar count.JAR', 'count.py': 'python3 count.py' }

for (const [name, start] of Object.entries(STARTS)) {
  test(`an algorithm of one file starts by itself: ${name}`, () => {
    assert.equal(entrypointOf({ [name]: new Uint8Array() }), start)
  })
}
