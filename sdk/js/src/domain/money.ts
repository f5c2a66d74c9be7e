import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'

/** The largest total that the escrow holds for one agreement (uint128). */
export const MAX_AMOUNT = 2n ** 128n - 1n

/**
 * Read an amount as documents write it: a text of decimal digits in base units, or a JSON integer.
 *
 * @throws InsituError `InvalidAmount` for a sign, point, exponent, leading zero, blank, or more than 2^128 - 1
 */
export function parseAmount(value: unknown): bigint {
  const isText = typeof value === 'string' && /^(?:0|[1-9][0-9]{0,38})$/.test(value)
  if (!isText && !(typeof value === 'number' && Number.isSafeInteger(value))) {
    const shown = String(JSON.stringify(value)).slice(0, 60)
    throw new InsituError(errors.InvalidAmount, `${shown} is not a decimal integer of base units`)
  }
  const amount = BigInt(value as string | number)
  if (amount < 0n || amount > MAX_AMOUNT)
    throw new InsituError(errors.InvalidAmount, `${amount} is not between 0 and 2^128 - 1`)
  return amount
}

/**
 * Return what each receiver is paid when the escrow releases a part of the price, in base units.
 *
 * From the last receiver to the second each gets, of what the later ones left over, its share of everything settled so
 * far, rounded down, less what it got before; the first gets the rest. So nothing is lost to rounding, and once all is
 * settled each receiver has exactly its amount, however the price was sliced.
 *
 * @param amounts - for each receiver, in the order of the terms
 * @param settled - what was settled before
 * @param charge - what is settled now
 * @throws InsituError `ChargeExceedsRemainder` if more would be settled than was agreed
 */
export function splitCharge(amounts: readonly bigint[], settled: bigint, charge: bigint): bigint[] {
  let total = amounts.reduce((sum, amount) => sum + amount, 0n)
  if (charge < 0n || settled < 0n || settled + charge > total) {
    throw new InsituError(errors.ChargeExceedsRemainder, `charge ${charge} with ${settled} of ${total} settled`)
  }
  let before = settled
  let after = settled + charge
  const shares: bigint[] = []
  for (const amount of amounts.slice(1).reverse()) {
    const was = total === 0n ? 0n : (before * amount) / total
    const is = total === 0n ? 0n : (after * amount) / total
    shares.unshift(is - was)
    before -= was
    after -= is
    total -= amount
  }
  return amounts.length === 0 ? [] : [after - before, ...shares]
}

/**
 * Write base units for people: `1500000000000000000` with 18 decimals is `1.5`. Exact, never rounded.
 *
 * @param decimals - the token's, 0 to 77
 */
export function displayAmount(amount: bigint, decimals: number, symbol = ''): string {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  const shown = fraction ? `${whole}.${fraction}` : whole
  return symbol ? `${shown} ${symbol}` : shown
}

/** Return the base units of a decimal number that a person typed. Throws `InvalidAmount` if it is finer than the token. */
export function amountOfDisplay(text: string, decimals: number): bigint {
  const match = /^([0-9]{1,60})(?:\.([0-9]{1,60}))?$/.exec(text)
  if (!match)
    throw new InsituError(errors.InvalidAmount, `${JSON.stringify(text.slice(0, 60))} is not a decimal number`)
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  if (fraction.length > decimals)
    throw new InsituError(errors.InvalidAmount, `${text} has more than ${decimals} decimals`)
  return parseAmount(BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`).toString())
}
