import * as errors from '../api/errors.gen.js'
import { type Call, callData } from '../domain/calls.js'
import { InsituError, isInsituError } from '../errors.js'
import { type Account, abortable, type CallControl, sleep } from './account.js'
import type { AgreementChain } from './agreement-chain.js'

/** Milliseconds between two looks at the chain: the first and the longest, and how long to look. */
const FIRST_LOOK = 100
const LONGEST_LOOK = 2000
const PATIENCE = 10 * 60_000

/** What a transaction is about. */
export interface Wanted {
  readonly call: Call
  /** What it does, in a sentence that a person reads before the wallet asks. */
  readonly message: string
  /** Whether the chain has it; the wallet's word for it is not enough. */
  readonly isDone: () => Promise<boolean>
}

/**
 * Let the account send a call of the template itself, and return once the chain has it. The account pays for the gas.
 *
 * @throws InsituError `RelayOff` if it can only sign, `InsufficientFunds` if it has no coin, `RejectedByUser`,
 * `TransactionFailed`, `TransactionUnconfirmed`
 */
export async function carryOut(
  chain: AgreementChain,
  account: Account,
  { call, message, isDone }: Wanted,
  { signal, onProgress }: CallControl,
): Promise<void> {
  if (account.sendTransaction === undefined) {
    const detail = 'no gateway sends this, and this account signs but cannot send transactions'
    throw new InsituError(errors.RelayOff, detail)
  }
  if ((await chain.coin(account.address, signal)) === 0n) {
    throw new InsituError(errors.InsufficientFunds, `${account.address} has no coin to pay for gas`)
  }
  const sends = { chainId: chain.contracts.chainId, to: chain.contracts.template, data: callData(call) }
  onProgress?.({ step: 'transaction', message, sends, promptsLeft: 0 })
  signal?.throwIfAborted()
  const hash = await abortable(account.sendTransaction(sends), signal)
  const began = performance.now()
  for (let pause = FIRST_LOOK; performance.now() - began < PATIENCE; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
    if (await unlessAway(isDone())) return
    if ((await unlessAway(chain.succeeded(hash, signal))) === false) {
      throw new InsituError(errors.TransactionFailed, `the transaction ${hash} was refused by ${sends.to}`)
    }
    await sleep(pause, signal)
  }
  throw new InsituError(errors.TransactionUnconfirmed, `the transaction ${hash} is not in a block yet`)
}

/** What was sent stays sent while a node does not answer. */
async function unlessAway<T>(look: Promise<T>): Promise<T | undefined> {
  return look.catch((error: unknown) => {
    if (!isInsituError(error) || !error.retry) throw error
    return undefined
  })
}
