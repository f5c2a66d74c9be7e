import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectedCost, readComputeMain, readQuote, readWorkflow, termsOf, verifyQuote } from '../../src/domain/index.js'
import { patched, plain, refuses, vector } from './vector.js'

const { wanted, answer, terms, cases } = vector('gateway-quotes', 'wanted', 'answer', 'terms', 'cases')

/** Verify a gateway's answer by the documents, and return the terms that it becomes. */
function judged(told: unknown) {
  const quote = readQuote(told as Parameters<typeof readQuote>[0])
  const inputs = wanted.inputs.map((input: typeof wanted) => ({ ...input, service: readComputeMain(input.service) }))
  const cost = expectedCost(readWorkflow(wanted.workflow), inputs, quote.provider as `0x${string}`, wanted.consumer)
  const workflow = { did: wanted.workflowDid, checksum: wanted.workflowHash }
  verifyQuote(quote, { workflow, inputs, serviceIndex: wanted.serviceIndex, cost })
  return termsOf(quote, wanted.consumer, wanted.now, wanted.seed)
}

for (const { name, patch, code } of cases) {
  test(`a gateway quotes: ${name}`, () => {
    const told = patched(answer, patch)
    if (code === null) assert.deepEqual(plain(judged(told)), terms)
    else refuses(() => judged(told), code)
  })
}
