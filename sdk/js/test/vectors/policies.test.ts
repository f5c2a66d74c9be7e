import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectivePolicy, policy, policyRefusals } from '../../src/domain/index.js'
import { readAs } from '../../src/domain/shape.js'
import { type Case, vector } from './vector.js'

const { consumer, algorithm, inputs, cases } = vector('policies', 'consumer', 'algorithm', 'inputs', 'cases')
const ALGORITHM = { ...algorithm, current: true }

function read(policies: Case[]) {
  return policies.map((rules, at) => ({ did: inputs[at] as string, policy: readAs(policy, rules) }))
}

for (const { name, bought, current, effective, refused } of cases) {
  test(name, () => {
    const found = effectivePolicy(read(bought), read(current))
    const told = Object.entries(found).map(([rule, value]) => [rule, value ?? null])
    assert.deepEqual(Object.fromEntries(told), effective)
    const refusals = policyRefusals([...read(bought), ...read(current)], [ALGORITHM], consumer)
    assert.deepEqual(
      refusals.map(({ code, did }) => [code, inputs.indexOf(did)]),
      refused,
    )
  })
}
