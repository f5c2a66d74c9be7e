import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaType } from '../../src/domain/index.js'
import { vector } from './vector.js'

for (const { name, mediaType: expected } of vector('media-types')) {
  test(`${name} is ${expected}`, () => assert.equal(mediaType(name), expected))
}
