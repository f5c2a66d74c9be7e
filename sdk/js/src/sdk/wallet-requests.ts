import * as errors from '../api/errors.gen.js'
import { type Address, sameAddress } from '../domain/ids.js'
import { InsituError } from '../errors.js'
import { abortable, rejectedByUser } from './account.js'
import type { WalletProvider } from './chain-reader.js'
import type { PageProvider } from './page-wallets.js'

const [REJECTED, UNAUTHORIZED, NOT_ON_CHAIN, UNKNOWN_CHAIN] = [4001, 4100, 4901, 4902]

/** A chain as a wallet can be given it (EIP-3085). A wallet that knows the chain ignores the rest. */
export interface ChainToUse {
  readonly chainId: number
  readonly chainName?: string | undefined
  /** Nodes, without which a wallet cannot be given the chain. Whoever has the node sees what the wallet asks. */
  readonly rpcUrls?: readonly string[] | undefined
  readonly nativeCurrency?: { readonly name: string; readonly symbol: string; readonly decimals: number } | undefined
}

/**
 * Ask a wallet something.
 *
 * @throws InsituError `RejectedByUser` (4001), `AccountChanged` (4100), `WrongChain` (4901, 4902), `TransactionFailed` for one
 * that it does not send, and `WalletUnavailable` for anything else, such as a wallet that is locked (4900)
 */
export async function askWallet(
  provider: WalletProvider,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  try {
    return await provider.request({ method, params })
  } catch (cause) {
    const code = codeOf(cause)
    if (code === REJECTED || code === 'ACTION_REJECTED') throw rejectedByUser(cause)
    if (code === UNAUTHORIZED) throw accountChanged(cause)
    if (code === NOT_ON_CHAIN) throw wrongChain('the wallet is not connected to the chain', cause)
    if (code === UNKNOWN_CHAIN) throw wrongChain('the wallet does not know the chain', cause)
    if (method === 'eth_sendTransaction') {
      // Refused for reasons of the chain, such as too little coin.
      throw new InsituError(errors.TransactionFailed, 'the wallet did not send the transaction', { cause })
    }
    const nextStep = 'Open the wallet: it may be locked, or another window of it may be open. Then ask again.'
    throw new InsituError('WalletUnavailable', `the wallet did not answer ${method}`, {
      ...{ kind: 'Unavailable', retry: true, nextStep, cause },
    })
  }
}

/** Refuse what the wallet would sign for another account or chain than it has now. Nothing is shown to the person. */
export async function requireUnchanged(provider: WalletProvider, account: Address, chainId?: number): Promise<void> {
  const [accounts, chain] = await Promise.all([
    askWallet(provider, 'eth_accounts').catch(() => undefined),
    chainId === undefined ? undefined : askWallet(provider, 'eth_chainId').catch(() => undefined),
  ])
  // What a wallet does not say, it refuses itself when it is asked to sign.
  const isOther = Array.isArray(accounts) && accounts.length > 0 && !accounts.some(one => isAccount(one, account))
  if (isOther) throw accountChanged()
  if (typeof chain === 'string' && chainId !== undefined && Number(chain) !== chainId) {
    throw wrongChain(`the wallet is on chain ${Number(chain)}, not ${chainId}`)
  }
}

/**
 * Let a wallet change to a chain, and give it the chain if it does not know it and `rpcUrls` has a node. A person is asked.
 *
 * @throws InsituError `RejectedByUser`, `WrongChain` if it is still elsewhere, `WalletUnavailable`; the reason of the signal
 */
export async function useChain(provider: WalletProvider, chain: ChainToUse, signal?: AbortSignal): Promise<void> {
  const ask = (method: string, params?: readonly unknown[]) => abortable(askWallet(provider, method, params), signal)
  const chainId = `0x${chain.chainId.toString(16)}`
  const isThere = async () => Number(await ask('eth_chainId')) === chain.chainId
  if (await isThere()) return
  try {
    await ask('wallet_switchEthereumChain', [{ chainId }])
  } catch (error) {
    const isUnknown = error instanceof InsituError && codeOf(error.cause) === UNKNOWN_CHAIN
    if (!isUnknown || !chain.rpcUrls?.length) throw error
    const { chainName = `Chain ${chain.chainId}`, rpcUrls } = chain
    const { nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 } } = chain
    await ask('wallet_addEthereumChain', [{ chainId, chainName, rpcUrls, nativeCurrency }])
    if (!(await isThere())) await ask('wallet_switchEthereumChain', [{ chainId }])
  }
  if (!(await isThere())) throw wrongChain(`the wallet is still not on chain ${chain.chainId}`)
}

/**
 * Return a signal that aborts as soon as the person changes account or chain in the wallet. Give it to calls: they end before
 * anything else is signed, also while a prompt is open.
 *
 * @returns the signal, whose reason is `AccountChanged` or `WrongChain`, and how to stop listening
 */
export function untilChanged(
  provider: PageProvider,
  account: Address,
  chainId: number,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const ended = new AbortController()
  const accounts = (now: unknown) => {
    if (!Array.isArray(now) || !isAccount(now[0], account)) ended.abort(accountChanged())
  }
  const chain = (now: unknown) => {
    if (Number(now) !== chainId) ended.abort(wrongChain(`the wallet went to chain ${Number(now)} from ${chainId}`))
  }
  provider.on?.('accountsChanged', accounts)
  provider.on?.('chainChanged', chain)
  const stop = () => {
    provider.removeListener?.('accountsChanged', accounts)
    provider.removeListener?.('chainChanged', chain)
  }
  return Object.freeze({ signal: ended.signal, stop })
}

function isAccount(value: unknown, account: Address): boolean {
  return typeof value === 'string' && sameAddress(value, account)
}

/** Some wallets wrap the error that they mean. */
function codeOf(error: unknown): unknown {
  const { code, data } = (error ?? {}) as { code?: unknown; data?: { originalError?: { code?: unknown } } }
  return data?.originalError?.code ?? code
}

function accountChanged(cause?: unknown): InsituError {
  return new InsituError('AccountChanged', 'the wallet no longer offers this page the account that began', {
    ...{ kind: 'NotAllowed', retry: true, cause },
    nextStep: 'Connect the account again, or begin again with the other one. Nothing was signed since.',
  })
}

function wrongChain(detail: string, cause?: unknown): InsituError {
  return new InsituError('WrongChain', detail, {
    ...{ kind: 'Conflict', retry: true, cause },
    nextStep:
      'Change the chain in the wallet, and add it with a node that you trust if it is not there. Then ask again.',
  })
}
