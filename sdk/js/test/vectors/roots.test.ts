import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '../../src/domain/index.js'
import { filesRoot, outputRoot } from '../../src/verify.js'
import { vector } from './vector.js'

for (const { salt, files, root } of vector('roots')) {
  test(`the root of ${files.length} files with a salt of ${salt.length / 2} bytes is ${root.slice(0, 12)}`, () => {
    const sized = files.map((file: { size: number | string }) => ({ ...file, size: Number(file.size) }))
    assert.equal(filesRoot(sized, fromHex(salt)), root)
    assert.equal(filesRoot(outputOrder(sized)), outputRoot([...sized].reverse()))
  })
}

function outputOrder<T extends { name: string }>(files: readonly T[]): T[] {
  return [...files].sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)))
}
