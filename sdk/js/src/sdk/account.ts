import * as errors from '../api/errors.gen.js'
import type { Hex } from '../domain/bytes.js'
import type { Address } from '../domain/ids.js'
import type { TypedData } from '../domain/typed-data.js'
import { InsituError } from '../errors.js'

/** An account that signs: a key in this program (`localKey`), or a wallet that asks a person. */
export interface Account {
  readonly address: Address
  /** Sign typed data (EIP-712), 65 bytes, or what a contract account accepts. */
  signTypedData(data: TypedData): Uint8Array | Promise<Uint8Array>
  /** Sign a text (personal_sign). */
  signText(text: string): Uint8Array | Promise<Uint8Array>
  /** Sign 32 bytes; wallets do not offer it. */
  readonly signDigest?: ((digest: Uint8Array) => Uint8Array) | undefined
  /** Send a transaction, which costs gas, and return its hash. Few calls need it. */
  readonly sendTransaction?: ((transaction: WalletTransaction) => Promise<string>) | undefined
}

/** A call of a contract that a wallet is asked to send, without value; it chooses gas and fees itself. */
export interface WalletTransaction {
  readonly chainId: number
  readonly to: Address
  readonly data: Hex
}

/** What is about to happen, in a sentence for the person who waits or is asked to sign. */
export interface Progress {
  readonly step:
    | 'verify'
    | 'sign-in'
    | 'permit'
    | 'terms'
    | 'publication'
    | 'update'
    | 'transfer'
    | 'provider'
    | 'listing'
    | 'transaction'
    | 'send'
    | 'confirmation'
    | 'grant'
  readonly message: string
  /**
   * What the wallet is asked to sign, exactly: show it, and throw here if it is not what the person has seen. Then nothing is
   * signed, and the call fails with what was thrown.
   */
  readonly asks?: TypedData | string | undefined
  /** What the wallet is asked to send, exactly, where it is a transaction. */
  readonly sends?: WalletTransaction | undefined
  /** Prompts of the wallet that follow this one in the same call, if all goes well; a new session asks once more. */
  readonly promptsLeft?: number | undefined
}

/** How a call reports, and how it is cancelled. A cancelled call rejects with the reason of its signal. */
export interface CallControl {
  /** Called before each prompt of the wallet and before each long wait. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Wait for something that cannot be cancelled, such as a wallet, only until the signal is aborted. */
export async function abortable<T>(what: T | Promise<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted()
  if (signal === undefined) return what
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    Promise.resolve(what)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Wait. Rejects with the signal's reason. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const waiting = new Promise<void>(resolve => {
    timer = setTimeout(resolve, milliseconds)
  })
  await abortable(waiting, signal).finally(() => clearTimeout(timer))
}

/** Return the error of a wallet whose person said no. */
export function rejectedByUser(cause?: unknown): InsituError {
  return new InsituError('RejectedByUser', 'the wallet was asked, and the answer was no', {
    ...{ kind: 'NotAllowed', nextStep: 'Call again and accept what the wallet shows. Nothing was sent.' },
    ...{ retry: true, cause },
  })
}

/** Return `signal` for a call's options, or nothing. */
export function onlySignal(control: CallControl): { readonly signal?: AbortSignal } {
  return control.signal ? { signal: control.signal } : {}
}

/** Throw what a caller is told whose wallet signed with another account. */
export function signedBySomebodyElse(wanted: Address, signer: string | undefined): never {
  const detail = `the wallet signed as ${signer ?? 'nobody'}, not as ${wanted}`
  throw new InsituError(errors.SignatureMismatch, detail)
}
