import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'

/** The largest size: larger ones fit neither a file system nor a database column. */
export const MAX_BYTES = 2n ** 63n - 1n

const MAX_MILLICORES = 1_000_000_000
const LETTERS = 'kmgtp'

function factorOf(unit: string): bigint | undefined {
  if (unit === '' || unit === 'b') return 1n
  const power = LETTERS.indexOf(unit.charAt(0)) + 1
  if (power === 0) return undefined
  if (unit.slice(1) === 'b') return 1000n ** BigInt(power)
  return unit.slice(1) === 'ib' ? 1024n ** BigInt(power) : undefined
}

/**
 * Read a size in bytes: `128gb`, `512MiB`, `1.5gb`, `1024`. `kb` … `pb` are powers of 1000, `kib` … `pib` of 1024.
 *
 * @throws InsituError `InvalidQuantity` if it is not a number, has an unknown unit or a fraction of a byte, or exceeds
 * 2^63 - 1
 */
export function parseBytes(value: unknown): bigint {
  const match = /^([0-9]{1,19})(?:\.([0-9]{1,9}))? ?([a-z]{0,3})$/.exec(textOf(value).toLowerCase())
  const factor = factorOf(match?.[3] ?? '?')
  if (!match || factor === undefined) throw invalid(`${shown(value)} is not a size like 8gb or 512mib`)
  const fraction = match[2] ?? ''
  const scaled = BigInt(`${match[1]}${fraction}`) * factor
  const scale = 10n ** BigInt(fraction.length)
  if (scaled % scale !== 0n) throw invalid(`${shown(value)} is not a whole number of bytes`)
  if (scaled / scale > MAX_BYTES) throw invalid(`${shown(value)} is beyond 2^63 - 1 bytes`)
  return scaled / scale
}

/**
 * Read a number of cores in thousandths: `2` is 2000, `0.5` is 500.
 *
 * @throws InsituError `InvalidQuantity` if it is not a number, finer than a thousandth, or too large
 */
export function parseCores(value: unknown): number {
  const match = /^([0-9]{1,7})(?:\.([0-9]{1,3}))?$/.exec(textOf(value))
  if (!match) throw invalid(`${shown(value)} is not a number of cores like 2 or 0.5`)
  const thousandths = Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'))
  if (thousandths > MAX_MILLICORES) throw invalid(`${shown(value)} is too many cores`)
  return thousandths
}

/** Read a whole number of things, such as graphics processors. Throws `InvalidQuantity`. */
export function parseCount(value: unknown): number {
  const text = textOf(value)
  if (!/^[0-9]{1,9}$/.test(text)) throw invalid(`${shown(value)} is not a whole number`)
  return Number(text)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : Number.isSafeInteger(value) ? String(value) : ''
}

function shown(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 60)
}

function invalid(detail: string): InsituError {
  return new InsituError(errors.InvalidQuantity, detail)
}
