import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectedCost, inputDids, readComputeMain, readWorkflow } from '../../src/domain/index.js'
import { type Case, refuses, vector } from './vector.js'

const { provider, consumer, quotes, refused } = vector('quotes', 'provider', 'consumer', 'quotes', 'refused')

/** Return what a consumer must be quoted, from the documents of the case alone. */
function quoted({ workflow: described, services, owners }: Case) {
  const workflow = readWorkflow(described)
  const inputs = inputDids(workflow).map(did => ({ did, service: readComputeMain(services[did]), owner: owners[did] }))
  const { server, receivers, amounts, total, times } = expectedCost(workflow, inputs, provider, consumer)
  const { lockTimeout: deadlineSeconds, ...timeouts } = times
  const price = { receivers, amounts: amounts.map(String), price: String(total) }
  return { server: server.serverId, ...price, deadlineSeconds, ...timeouts }
}

for (const one of quotes) test(one.name, () => assert.deepEqual(quoted(one), one.quote))
for (const one of refused) test(`refused: ${one.name}`, () => refuses(() => quoted(one), one.code))
