import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputDids, readDdo, transformationsOf, workflowOf } from '../../src/domain/index.js'
import { vectorText } from './vector.js'

const document = JSON.parse(vectorText('specification-workflow'))

test("the specification's example of a workflow is read, and nothing of it is lost", () => {
  const ddo = readDdo(document)
  assert.deepEqual(ddo.json, document)
  const workflow = workflowOf(ddo)
  assert.deepEqual(inputDids(workflow), ['did:nv:12345', 'did:nv:67890'])
  assert.deepEqual([...transformationsOf(workflow).keys()], ['did:nv:abcde', 'did:nv:999999'])
  assert.equal(workflow.stages[1]?.input[0]?.previousStage, 0)
})
