import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, inputsHash } from '../../src/domain/index.js'
import { type Case, vector } from './vector.js'

for (const { name, inputs, canonical, inputsHash: hash } of vector('inputs-hash')) {
  test(name, () => {
    const pairs = inputs.map(({ did, checksum }: Case) => [did, checksum.toLowerCase().replace(/^0x/, '')])
    assert.equal(new TextDecoder().decode(canonicalJson(pairs)), canonical)
    assert.equal(inputsHash(inputs), hash)
  })
}
