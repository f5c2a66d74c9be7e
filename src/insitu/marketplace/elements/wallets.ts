/** Wallets that announce themselves to the page (EIP-6963), each once. What they say of themselves is a stranger's text. */
import { type Wallet, watchWallets as watchPage } from 'insitu/wallets'
import { site } from './site.js'

export type { Wallet } from 'insitu/wallets'

const DEVELOPMENT_WALLET = '/development/wallet.js'

let found: readonly Wallet[] = []
const listeners = new Set<() => void>()
let isListening = false

/** Return the wallets that have announced themselves so far. */
export function wallets(): readonly Wallet[] {
  return found
}

/** Ask wallets to announce themselves, and be told of those that have and of each new one, until `stop` is called. */
export function watchWallets(listener: () => void): () => void {
  listeners.add(listener)
  if (!isListening) {
    isListening = true
    watchPage(now => {
      found = now
      for (const told of listeners) told()
    })
    void loadDevelopmentWallet()
  } else if (found.length > 0) listener()
  return () => listeners.delete(listener)
}

/** On a development chain the server may have a wallet; it announces itself like any other, or does not exist. */
async function loadDevelopmentWallet(): Promise<void> {
  if (!site().development) return
  const address: string = DEVELOPMENT_WALLET
  await import(address).catch(() => undefined)
}

/** Return the wallet that was used before, once it has announced itself; undefined if it does not within a moment. */
export async function walletNamed(rdns: string, patience = 1000): Promise<Wallet | undefined> {
  const named = () => wallets().find(wallet => wallet.rdns === rdns)
  return await new Promise(resolve => {
    const end = (wallet: Wallet | undefined) => {
      stop()
      clearTimeout(timer)
      resolve(wallet)
    }
    const timer = setTimeout(() => end(undefined), patience)
    const stop = watchWallets(() => {
      if (named()) queueMicrotask(() => end(named()))
    })
    if (named()) end(named())
  })
}
