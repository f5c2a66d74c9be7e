import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publicationKey } from '../../src/domain/index.js'
import { vector } from './vector.js'

for (const { what, creator, description, digests, key, ...place } of vector('publication-keys', 'cases').cases) {
  test(what, () => assert.equal(publicationKey(place, creator, description, digests), key))
}
