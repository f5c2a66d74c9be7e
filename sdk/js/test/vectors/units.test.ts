import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBytes, parseCores } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const { bytes, cores, notBytes } = vector('units', 'bytes', 'cores', 'notBytes')

for (const [text, size] of Object.entries(bytes))
  test(`${text} is ${size} bytes`, () => assert.equal(String(parseBytes(text)), size))
for (const [text, many] of Object.entries(cores))
  test(`${text} cores are ${many}`, () => assert.equal(parseCores(text), many))
for (const text of notBytes)
  test(`${JSON.stringify(text)} is no size`, () => refuses(() => parseBytes(text), 'InvalidQuantity'))
