import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliveredBytes, deliveryProblem, firstCollision, isLeftOut, pathProblem } from '../../src/domain/index.js'
import { vector } from './vector.js'

const KINDS = [
  'safePaths',
  'unsafePaths',
  'collidingPaths',
  'deliveredNames',
  'refusedNames',
  'leftOutNames',
  'deliveredBytes',
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

test('files that differ do not collide', () =>
  assert.equal(firstCollision(['a/b', 'a/c', 'b', 'ς/1', 'σ/2']), undefined))
