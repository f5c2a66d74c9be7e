import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitCharge } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

for (const { amounts, charges, paid } of vector('split')) {
  test(`${charges} of the price ${amounts}`, () => {
    const price: bigint[] = amounts.map(BigInt)
    let settled = 0n
    for (const [at, charge] of charges.entries()) {
      assert.deepEqual(splitCharge(price, settled, BigInt(charge)).map(String), paid[at])
      settled += BigInt(charge)
    }
  })
}

test('more than the price is refused', () => {
  refuses(() => splitCharge([3n], 2n, 2n), 'ChargeExceedsRemainder')
})
