import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  expectedCost,
  inputDids,
  inputsHash,
  readComputeMain,
  readQuote,
  readWorkflow,
  termsOf,
  verifyQuote,
} from '../../src/domain/index.js'
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

/** A gateway's quote of a case, and what its consumer wants by the same documents. */
function offered(given: Case) {
  const workflow = readWorkflow(given.workflow)
  const inputs = inputDids(workflow).map(did => ({ did, checksum: 'ab'.repeat(32) }))
  const services = inputs.map(({ did }) => ({
    did,
    service: readComputeMain(given.services[did]),
    owner: given.owners[did],
  }))
  const cost = expectedCost(workflow, services, provider, consumer)
  const wanted = {
    workflow: { did: `did:nv:${'0f'.repeat(32)}`, checksum: 'cd'.repeat(32) },
    inputs,
    serviceIndex: 4,
    cost,
  }
  const { server, receivers, amounts, ...more } = given.quote
  const said = {
    ...{ did: inputs[0]?.did ?? '', inputs, inputsHash: inputsHash(inputs), provider, serviceIndex: 4, ...more },
    ...{
      workflowDid: wanted.workflow.did,
      workflowHash: `0x${wanted.workflow.checksum}`,
      server: { serverId: server },
    },
    receivers: receivers.map((address: string, at: number) => ({
      address: address.toLowerCase(),
      amount: amounts[at],
    })),
  }
  return { said, wanted }
}

for (const one of quotes) {
  test(`a gateway's quote is accepted if it says the same: ${one.name}`, () => {
    const { said, wanted } = offered(one)
    verifyQuote(readQuote(said), wanted)
    const terms = termsOf(readQuote(said), consumer, 1000, 'ee'.repeat(32))
    assert.equal(terms.deadline, 1000 + one.quote.deadlineSeconds)
    assert.deepEqual([terms.amounts.map(String), terms.receivers], [one.quote.amounts, one.quote.receivers])
  })
}

const OTHERWISE: Record<string, unknown> = {
  did: `did:nv:${'11'.repeat(32)}`,
  inputs: [],
  inputsHash: `0x${'11'.repeat(32)}`,
  workflowDid: `did:nv:${'11'.repeat(32)}`,
  workflowHash: `0x${'11'.repeat(32)}`,
  serviceIndex: 5,
  server: { serverId: 'other' },
  price: '1',
  receivers: [{ address: `0x${'11'.repeat(20)}`, amount: '13' }],
  deadlineSeconds: 1,
  grantTimeout: 1,
  timeout: 1,
  settleTimeout: 1,
}

for (const [member, value] of Object.entries(OTHERWISE)) {
  test(`a quote with another ${member} is refused`, () => {
    const { said, wanted } = offered(quotes[0])
    refuses(() => verifyQuote(readQuote({ ...said, [member]: value } as Case), wanted), 'TermsMismatch')
  })
}
