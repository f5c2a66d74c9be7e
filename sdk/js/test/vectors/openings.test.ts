import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openingChecks, readEnvelope, readOpening, settlementChecks, verifyReceipt } from '../../src/verify.js'
import { type Case, patched, vector } from './vector.js'

const { receipts, opening, openings, settlements } = vector(
  'openings',
  'receipts',
  'opening',
  'openings',
  'settlements',
)
const verified = (name: string) => verifyReceipt(readEnvelope(receipts[name]))

for (const { name, receipt, patch, holds } of openings) {
  test(`an opening: ${name}`, () => {
    const shown = readOpening(patched(opening, patch))
    const checks = openingChecks(verified(receipt).statement.predicate, shown)
    assert.deepEqual(
      checks.map(([, held]) => held),
      holds,
    )
  })
}

for (const { name, settlement, holds } of settlements) {
  test(`a settlement: ${name}`, () => {
    const checks = settlementChecks(verified('open'), signed(settlement))
    assert.deepEqual(
      checks.map(([, held]) => held),
      holds,
    )
  })
}

/** A settlement as a gateway sends it has amounts as text. */
function signed({ terms, settlement, signature }: Case) {
  return {
    terms: { ...terms, amounts: terms.amounts.map(BigInt) },
    settlement: { ...settlement, charge: BigInt(settlement.charge) },
    signature,
  }
}
