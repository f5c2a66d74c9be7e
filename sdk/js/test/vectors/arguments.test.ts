import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argumentVector } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

for (const { entrypoint, files, inputs, configuration, argv } of vector('arguments')) {
  test(`${entrypoint} with ${inputs} inputs`, () => {
    assert.deepEqual(argumentVector(entrypoint, files, inputs, configuration), argv)
  })
}

test('quotes and escapes group words as in a POSIX shell', () => {
  const words = argumentVector(String.raw`a"b c"'d e'\ f "\"\n" ''`, [], 0, {}).slice(0, -2)
  assert.deepEqual(words, ['ab cd e f', String.raw`"\n`, ''])
})

for (const entrypoint of ["python 'x", 'python "x', 'python \\', '', '  ', 'a\0b', 'x'.repeat(5000)]) {
  test(`the entrypoint ${JSON.stringify(entrypoint.slice(0, 20))} is refused`, () => {
    refuses(() => argumentVector(entrypoint, [], 1, {}), 'InvalidDocument')
  })
}

test('a long entrypoint that cannot be split is refused at once', { timeout: 1000 }, () => {
  refuses(() => argumentVector(`${"'a' ".repeat(1000)}'`, [], 1, {}), 'InvalidDocument')
})
