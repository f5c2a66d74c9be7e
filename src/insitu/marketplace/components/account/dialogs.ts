/** The windows about wallets and accounts: loaded when somebody needs one. */
import type { WalletProvider } from 'insitu'
import { readAddress } from 'insitu/domain'
import { askWallet, useChain } from 'insitu/wallets'
import type { Chosen } from '../../elements/account.js'
import { ask, type Question } from '../../elements/dialog.js'
import { type Wallet, watchWallets } from '../../elements/wallets.js'
import { type Choosing, chainView, chooserView } from './view.js'

export { confirmContracts } from '../contracts/dialog.js'

/** Let the person choose a wallet and one of its accounts. Throws `AbortError` if the window is closed. */
export function chooseWallet(signal?: AbortSignal): Promise<Chosen> {
  return ask<Chosen>(
    'Choose a wallet',
    question => {
      let state: Choosing = { wallets: [] }
      let found: readonly Wallet[] = []
      const show = (change: Partial<Choosing>) => {
        state = { ...state, ...change }
        question.show(...chooserView(state, { choose, close: () => question.fail(closed()) }))
      }
      const choose = (uuid: string) => {
        const wallet = found.find(one => one.uuid === uuid)
        if (wallet === undefined || state.asked === uuid) return
        show({ asked: uuid, error: undefined })
        accountOf(wallet).then(question.answer, (error: unknown) => show({ asked: undefined, error }))
      }
      return watchWallets(wallets => {
        found = wallets
        show({ wallets })
      })
    },
    signal,
  )
}

async function accountOf(wallet: Wallet): Promise<Chosen> {
  const accounts = await askWallet(wallet.provider, 'eth_requestAccounts')
  const [first] = Array.isArray(accounts) ? accounts : []
  return { wallet, address: readAddress(String(first)) }
}

/** Offer to change the wallet's chain, and return once it is changed. Throws `AbortError` if the person does not want to. */
export async function changeChain(provider: WalletProvider, wanted: number, signal?: AbortSignal): Promise<void> {
  const present = Number(await askWallet(provider, 'eth_chainId'))
  await ask<void>('Change the chain', question => beginChange(question, provider, present, wanted), signal)
}

function beginChange(question: Question<void>, provider: WalletProvider, present: number, wanted: number) {
  const show = (isAsked: boolean, error?: unknown) =>
    question.show(...chainView({ present, wanted, isAsked, error }, { change, close: () => question.fail(closed()) }))
  const change = () => {
    show(true)
    useChain(provider, { chainId: wanted }).then(question.answer, (error: unknown) => show(false, error))
  }
  show(false)
  return undefined
}

function closed(): DOMException {
  return new DOMException('the window was closed', 'AbortError')
}
