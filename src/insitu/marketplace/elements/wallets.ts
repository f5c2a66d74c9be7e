/** The wallets of this browser, among them that of a development chain. */
import { type Wallet, watchWallets as watch } from 'insitu/wallets'
import { site } from './site.js'

export type { PageProvider, Wallet } from 'insitu/wallets'

const DEVELOPMENT_WALLET = '/development/wallet.js'
let isLoaded = false

/** Be called with the wallets that have announced themselves, now and with each new one. Return how to stop. */
export function watchWallets(listener: (wallets: readonly Wallet[]) => void): () => void {
  const stop = watch(listener)
  // On a development chain the server may have a wallet; it announces itself like any other, or does not exist.
  if (!isLoaded && site().development) {
    isLoaded = true
    const address: string = DEVELOPMENT_WALLET
    import(address).catch(() => undefined)
  }
  return stop
}

/** Return the wallet that was used before, once it has announced itself; undefined if it does not within a moment. */
export async function walletNamed(rdns: string, patience = 1000): Promise<Wallet | undefined> {
  let stop = () => {}
  const found = await new Promise<Wallet | undefined>(resolve => {
    setTimeout(() => resolve(undefined), patience)
    stop = watchWallets(wallets => {
      const named = wallets.find(wallet => wallet.rdns === rdns)
      if (named !== undefined) resolve(named)
    })
  })
  stop()
  return found
}
