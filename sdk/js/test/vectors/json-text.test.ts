import { test } from 'node:test'
import { canonicalJson, readJson } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const { refused, withoutCanonicalForm, accepted } = vector('json-text', 'refused', 'withoutCanonicalForm', 'accepted')

for (const { name, text } of refused) test(`refused: ${name}`, () => refuses(() => readJson(text), 'InvalidDocument'))

for (const { name, text, pointer } of withoutCanonicalForm) {
  test(`without a canonical form: ${name}`, () =>
    refuses(() => canonicalJson(readJson(text)), 'InvalidDocument', pointer))
}

for (const { name, text } of accepted) test(`accepted: ${name}`, () => void canonicalJson(readJson(text)))

test('text that nests a hundred thousand levels deep is refused', () => {
  refuses(() => readJson('['.repeat(100_000) + ']'.repeat(100_000)), 'InvalidDocument')
})
