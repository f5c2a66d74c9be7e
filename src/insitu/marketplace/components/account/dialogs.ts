/** The windows about wallets and accounts: loaded when somebody needs one. */
import { InsituError, type WalletProvider } from 'insitu'
import { readAddress } from 'insitu/domain'
import type { Chosen } from '../../elements/account.js'
import { ask, type Question } from '../../elements/dialog.js'
import { type Wallet, wallets, watchWallets } from '../../elements/wallets.js'
import { type Choosing, chainView, chooserView } from './view.js'

const REJECTED = 4001
const UNKNOWN_CHAIN = 4902

/** Let the person choose a wallet and one of its accounts. Throws `AbortError` if the window is closed. */
export function chooseWallet(signal?: AbortSignal): Promise<Chosen> {
  return ask<Chosen>(
    'Choose a wallet',
    question => {
      let state: Choosing = { wallets: [] }
      const show = (change: Partial<Choosing>) => {
        state = { ...state, ...change }
        question.show(...chooserView(state, { choose, close: () => question.fail(closed()) }))
      }
      const choose = (uuid: string) => {
        const wallet = wallets().find(one => one.uuid === uuid)
        if (wallet === undefined || state.asked === uuid) return
        show({ asked: uuid, error: undefined })
        accountOf(wallet).then(question.answer, (error: unknown) => show({ asked: undefined, error }))
      }
      show({})
      return watchWallets(() => show({ wallets: wallets() }))
    },
    signal,
  )
}

async function accountOf(wallet: Wallet): Promise<Chosen> {
  const accounts = await request(wallet.provider, 'eth_requestAccounts')
  const [first] = Array.isArray(accounts) ? accounts : []
  return { wallet, address: readAddress(String(first)) }
}

/** Offer to change the wallet's chain, and return once it is changed. Throws `AbortError` if the person does not want to. */
export async function changeChain(provider: WalletProvider, wanted: number, signal?: AbortSignal): Promise<void> {
  const present = await chainOf(provider)
  await ask<void>('Change the chain', question => beginChange(question, provider, present, wanted), signal)
}

function beginChange(question: Question<void>, provider: WalletProvider, present: number, wanted: number) {
  const show = (isAsked: boolean, error?: unknown) =>
    question.show(...chainView({ present, wanted, isAsked, error }, { change, close: () => question.fail(closed()) }))
  const change = () => {
    show(true)
    switchTo(provider, wanted).then(question.answer, (error: unknown) => show(false, error))
  }
  show(false)
  return undefined
}

async function switchTo(provider: WalletProvider, wanted: number): Promise<void> {
  await request(provider, 'wallet_switchEthereumChain', [{ chainId: `0x${wanted.toString(16)}` }])
  if ((await chainOf(provider)) === wanted) return
  throw new InsituError('ContractMismatch', `the wallet is still not on chain ${wanted}`, {
    ...{ kind: 'Conflict', retry: true, nextStep: 'Change the chain in the wallet itself, then ask again.' },
  })
}

async function chainOf(provider: WalletProvider): Promise<number> {
  return Number(await request(provider, 'eth_chainId'))
}

async function request(provider: WalletProvider, method: string, params: readonly unknown[] = []): Promise<unknown> {
  try {
    return await provider.request({ method, params })
  } catch (cause) {
    throw walletError(method, cause)
  }
}

function walletError(method: string, cause: unknown): InsituError {
  const code = (cause as { readonly code?: unknown } | null)?.code
  if (code === REJECTED) {
    return new InsituError('RejectedByUser', 'the wallet was asked, and the answer was no', {
      kind: 'NotAllowed',
      cause,
    })
  }
  if (code === UNKNOWN_CHAIN) {
    return new InsituError('ContractMismatch', 'the wallet does not know this chain', {
      ...{
        kind: 'Conflict',
        cause,
        nextStep: 'Add the chain in the wallet, with a node that you trust, then ask again.',
      },
    })
  }
  const nextStep = 'Open the wallet: it may be locked, or may have another window open. Then ask again.'
  return new InsituError('ChainUnavailable', `the wallet did not answer ${method}`, {
    kind: 'Unavailable',
    nextStep,
    cause,
  })
}

function closed(): DOMException {
  return new DOMException('the window was closed', 'AbortError')
}
