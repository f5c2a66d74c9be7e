import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  conditionId,
  didHex,
  fromHex,
  hashDid,
  readAddress,
  readAgreementId,
  readExecutionId,
  workflowExecutionId,
} from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const { conditions, dids } = vector('ids', 'conditions', 'dids')

for (const { agreementId, verifyingContract, condition, name, conditionId: id } of conditions) {
  test(`${name} of the agreement ${agreementId.slice(0, 12)}`, () => {
    assert.equal(conditionId(agreementId, verifyingContract, condition), id)
  })
}

for (const { didSeed, creator, did } of dids) {
  test(`the DID of the seed ${didSeed.slice(0, 12)}`, () =>
    assert.equal(didHex(hashDid(fromHex(didSeed), creator)), did))
}

test('addresses are written in the case of EIP-55', () => {
  for (const { creator } of dids) assert.equal(readAddress(creator.toLowerCase()), creator)
  refuses(() => readAddress('0x12'), 'InvalidId')
})

test('ids are read in one form', () => {
  assert.equal(readAgreementId(`0x${'AB'.repeat(32)}`), 'ab'.repeat(32))
  refuses(() => readAgreementId('ab'), 'InvalidId')
  const id = workflowExecutionId('00'.repeat(32), 1)
  assert.equal(readExecutionId(id), id)
  refuses(() => readExecutionId('wx1'), 'InvalidId')
})
