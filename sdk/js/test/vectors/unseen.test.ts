import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { onOneLine, seenName, visible } from '../../src/domain/unseen.js'
import { vector } from './vector.js'

const { characters, texts, names } = vector('unseen', 'characters', 'texts', 'names')

for (const { text, shown } of texts) {
  test(`${JSON.stringify(shown)} shows what cannot be seen`, () => assert.equal(visible(text, '\n\t'), shown))
}

for (const { text, name } of names) {
  test(`${JSON.stringify(name)} is a name`, () => assert.equal(seenName(visible(onOneLine(text))) ?? '–', name))
}

test('the same characters are shown by number', () => {
  const found: string[] = []
  for (let code = 0; code < 0x110000; code += 1) {
    if (visible(`a${String.fromCodePoint(code)}`) !== `a${String.fromCodePoint(code)}`) found.push(code.toString(16))
  }
  assert.equal(found.length, characters.count)
  assert.equal(createHash('sha256').update(found.join(' ')).digest('hex'), characters.sha256)
})
