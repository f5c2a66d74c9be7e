import assert from 'node:assert/strict'
import { test } from 'node:test'
import { completeServices, readDescription } from '../../src/domain/index.js'
import { type Case, refuses, vector } from './vector.js'

const { surroundings, described, refused } = vector('completed-services', 'surroundings', 'described', 'refused')

function complete({ assetMetadata, servicesDescription = [] }: Case) {
  const description = readDescription(assetMetadata, servicesDescription)
  const { creator, created } = surroundings
  return completeServices(description, description.files, surroundings, creator, created)
}

for (const one of described) {
  test(`completed: ${one.name}`, () => assert.deepEqual(complete(one), one.service))
}

for (const one of refused) {
  test(`refused: ${one.name}`, () => refuses(() => complete(one), one.code, one.pointer))
}
