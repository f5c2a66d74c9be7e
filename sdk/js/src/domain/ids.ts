import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { abiWord } from './abi.js'
import { concat, digitsOf, fromHex, type Hex, toHex, utf8 } from './bytes.js'
import { keccak256, sha256 } from './canonical.js'

/** An account or contract: `0x` and 40 hexadecimal digits in the case of EIP-55. Compare it with {@link sameAddress}. */
export type Address = Hex

/** serviceAgreementId: 64 lower-case hexadecimal digits without `0x`, the EIP-712 digest of the terms (C2). */
export type AgreementId = string

/** workflowExecutionId: `wx` and 26 letters or digits, one execution of an agreement (E4). */
export type ExecutionId = `wx${string}`

/** Read a serviceAgreementId, with or without `0x`, in any case. Throws `InvalidId`. */
export function readAgreementId(text: string): AgreementId {
  const match = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text)
  if (!match?.[1])
    throw new InsituError(errors.InvalidId, `${shown(text)} is not an agreement id of 64 hexadecimal digits`)
  return match[1].toLowerCase()
}

/** Read a workflowExecutionId. Throws `InvalidId`. */
export function readExecutionId(text: string): ExecutionId {
  if (!/^wx[a-z2-7]{26}$/.test(text))
    throw new InsituError(errors.InvalidId, `${shown(text)} is not a workflow execution id`)
  return text as ExecutionId
}

/** Read an account's address in any case and return it in the case of EIP-55. Throws `InvalidId`. */
export function readAddress(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new InsituError(errors.InvalidId, `${shown(text)} is not an address of 0x and 40 hexadecimal digits`)
  }
  const digits = text.slice(2).toLowerCase()
  const hash = digitsOf(keccak256(utf8(digits)))
  const cased = Array.from(digits, (digit, at) =>
    Number.parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit,
  )
  return `0x${cased.join('')}`
}

/** Return whether two texts are the same address, in whatever case. */
export function sameAddress(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/**
 * Derive the id of an execution of an agreement: `wx` and the first 26 characters of
 * base32(sha256(agreement id ‖ number as 8 bytes, big-endian)).
 *
 * @param number - counts the executions of the agreement from 0
 */
export function workflowExecutionId(agreementId: AgreementId, number: number): ExecutionId {
  const counted = new DataView(new ArrayBuffer(8))
  counted.setBigUint64(0, BigInt(number))
  const digest = sha256(concat(fromHex(agreementId), new Uint8Array(counted.buffer)))
  return `wx${base32(digest).slice(0, 26)}`
}

/**
 * Return the id of one of an agreement's three conditions, as the contracts compute it.
 *
 * @param condition - 0 lockReward, 1 execCompute, 2 escrowReward
 * @param contract - address of the ServiceExecutionTemplate
 */
export function conditionId(agreementId: AgreementId, contract: Address, condition: 0 | 1 | 2): Hex {
  return toHex(keccak256(concat(fromHex(agreementId), abiWord(contract), abiWord(condition))))
}

function base32(bytes: Uint8Array): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  const bits = Array.from(bytes, byte => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map(five => letters.charAt(Number.parseInt(five, 2))).join('')
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
