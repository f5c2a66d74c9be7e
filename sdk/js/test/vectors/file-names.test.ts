import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  deliveredBytes,
  deliveryProblem,
  digitsOf,
  firstCollision,
  isLeftOut,
  pathProblem,
  sha256,
  utf8,
} from '../../src/domain/index.js'
import { vector } from './vector.js'

const KINDS = [
  'safePaths',
  'unsafePaths',
  'collidingPaths',
  'deliveredNames',
  'refusedNames',
  'leftOutNames',
  'deliveredBytes',
  'characters',
]
const vectors = vector('file-names', ...KINDS)
const shown = (name: string) => JSON.stringify(name.slice(0, 60))

for (const path of vectors.safePaths) test(`safe: ${shown(path)}`, () => assert.equal(pathProblem(path), undefined))
for (const path of vectors.unsafePaths) test(`unsafe: ${shown(path)}`, () => assert.ok(pathProblem(path)))
for (const name of vectors.deliveredNames) {
  test(`delivered: ${shown(name)}`, () =>
    assert.deepEqual([deliveryProblem(name), isLeftOut(name)], [undefined, false]))
}
for (const name of vectors.refusedNames) test(`refused: ${shown(name)}`, () => assert.ok(deliveryProblem(name)))
for (const name of vectors.leftOutNames) test(`left out: ${shown(name)}`, () => assert.ok(isLeftOut(name)))

for (const paths of vectors.collidingPaths) {
  test(`one file on some system: ${paths.map(shown).join(' and ')}`, () =>
    assert.deepEqual(firstCollision(paths), paths))
}

for (const { path, size, bytes } of vectors.deliveredBytes) {
  test(`${path} of ${size} bytes counts ${bytes}`, () => assert.equal(deliveredBytes(path, size), bytes))
}

test('a name may have the characters of Unicode 14, and no later ones', () => {
  const points = Array.from({ length: 0x110000 }, (_, point) => point).filter(point => point < 0xd800 || point > 0xdfff)
  const accepted = points.map(point => String.fromCodePoint(point)).filter(one => pathProblem(`x${one}x`) === undefined)
  const { accepted: count, sha256: digest } = vectors.characters
  assert.deepEqual([accepted.length, digitsOf(sha256(utf8(accepted.join(''))))], [count, digest])
})

test('files that differ do not collide', () =>
  assert.equal(firstCollision(['a/b', 'a/c', 'b', 'ς/1', 'σ/2']), undefined))
