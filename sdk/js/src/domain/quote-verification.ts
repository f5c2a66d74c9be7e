import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import type { Terms } from './agreement.js'
import { plainDigits } from './bytes.js'
import { didHex } from './did.js'
import { type Address, readAddress } from './ids.js'
import { type InputVersion, inputsHash } from './inputs-hash.js'
import type { ExpectedCost } from './quote.js'
import { integer, list, object, optional, type Read, readAs, text, wireAmount } from './shape.js'

const QUOTE = /* @__PURE__ */ (() =>
  object({
    did: text,
    inputs: list(object({ did: text, checksum: text })),
    inputsHash: text,
    workflowDid: text,
    workflowHash: text,
    serviceIndex: integer(),
    provider: text,
    server: object({ serverId: optional(text) }),
    price: wireAmount,
    receivers: list(object({ address: text, amount: wireAmount })),
    deadlineSeconds: integer(),
    grantTimeout: integer(),
    timeout: integer(),
    settleTimeout: integer(),
  }))()

/** What a gateway offers for a workflow (C1). Amounts are base units, times are in seconds. */
export type Quote = Read<typeof QUOTE>

/** What somebody wants to buy, by their own reading of the documents that the registry names. */
export interface WantedPurchase {
  readonly workflow: InputVersion
  /** Every data set once, in the workflow's order. */
  readonly inputs: readonly InputVersion[]
  /** Index of the compute service of the first input. */
  readonly serviceIndex: number
  /** What `expectedCost` says, for the provider that the quote names. */
  readonly cost: ExpectedCost
}

/** Read a quote from JSON. Throws `InvalidDocument` with a pointer. */
export function readQuote(value: Parameters<typeof readAs>[1]): Quote {
  return readAs(QUOTE, value)
}

/**
 * Refuse a quote that differs from what the documents say. Whether its provider may provide the inputs, and has a key,
 * the chain must be asked.
 *
 * @throws InsituError `TermsMismatch` with both sides
 */
export function verifyQuote(quote: Quote, wanted: WantedPurchase): void {
  const { cost, inputs, workflow } = wanted
  const quoted = new Map(quote.inputs.map(input => [input.did, plainDigits(input.checksum)]))
  const pairs: readonly (readonly [name: string, said: unknown, own: unknown])[] = [
    ['did', quote.did, inputs[0]?.did],
    ...inputs.map(input => [`version of ${input.did}`, quoted.get(input.did), plainDigits(input.checksum)] as const),
    ['hash of the inputs', plainDigits(quote.inputsHash), plainDigits(inputsHash(inputs))],
    ['workflow', quote.workflowDid, workflow.did],
    ['version of the workflow', plainDigits(quote.workflowHash), plainDigits(workflow.checksum)],
    ['service', quote.serviceIndex, wanted.serviceIndex],
    ['server', quote.server.serverId, cost.server.serverId],
    ['price', quote.price, cost.total],
    ['receivers', paid(quote.receivers.map(one => [one.address, one.amount])), paid(pairsOf(cost))],
    ['deadlineSeconds', quote.deadlineSeconds, cost.times.lockTimeout],
    ['grantTimeout', quote.grantTimeout, cost.times.grantTimeout],
    ['timeout', quote.timeout, cost.times.timeout],
    ['settleTimeout', quote.settleTimeout, cost.times.settleTimeout],
  ]
  for (const [name, said, own] of pairs) {
    if (said !== own)
      throw new InsituError(errors.TermsMismatch, `the quote's ${name} is ${said}, the documents say ${own}`)
  }
}

/**
 * Return the terms of a quote (C2, C3).
 *
 * @param now - the chain's time, in seconds since 1970
 * @param seed - 64 hexadecimal digits; keep it before anything is signed, so that asking again buys nothing twice
 */
export function termsOf(quote: Quote, consumer: Address, now: number, seed: string): Terms {
  return {
    seed: `0x${plainDigits(seed)}`,
    did: didHex(quote.did),
    inputsHash: `0x${plainDigits(quote.inputsHash)}`,
    workflowId: didHex(quote.workflowDid),
    workflowHash: `0x${plainDigits(quote.workflowHash)}`,
    consumer,
    provider: readAddress(quote.provider),
    serviceIndex: quote.serviceIndex,
    deadline: now + quote.deadlineSeconds,
    grantTimeout: quote.grantTimeout,
    timeout: quote.timeout,
    settleTimeout: quote.settleTimeout,
    amounts: quote.receivers.map(receiver => receiver.amount),
    receivers: quote.receivers.map(receiver => readAddress(receiver.address)),
  }
}

function pairsOf(cost: ExpectedCost): (readonly [string, bigint])[] {
  return cost.receivers.map((receiver, at) => [receiver, cost.amounts[at] ?? 0n])
}

function paid(receivers: readonly (readonly [address: string, amount: bigint])[]): string {
  return receivers.map(([address, amount]) => `${address.toLowerCase()} ${amount}`).join(', ')
}
