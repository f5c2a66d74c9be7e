/** Wallets that announce themselves to the page (EIP-6963), each once. What they say of themselves is a stranger's text. */
import type { WalletProvider } from 'insitu'
import { site } from './site.js'
import { nameOf } from './words.js'

/** A wallet's connection, which also tells when the person changes account or chain (EIP-1193). */
export interface PageProvider extends WalletProvider {
  on?(event: string, listener: (now: unknown) => void): void
  removeListener?(event: string, listener: (now: unknown) => void): void
}

/** A wallet of this browser. */
export interface Wallet {
  /** Of this page load; two wallets may have the same name, but not the same uuid. */
  readonly uuid: string
  /** The same in every page load, such as `io.metamask`. */
  readonly rdns: string
  readonly name: string
  /** A picture as a `data:` address, or empty: a picture from elsewhere would tell its server who is here. */
  readonly icon: string
  readonly provider: PageProvider
}

/** A picture that cannot run anything in an `img`, and is not huge. */
const ICON = /^data:image\/(?:png|jpeg|webp|gif|svg\+xml)[;,][^\s"'<>]{1,100000}$/
const MOST = 50
const DEVELOPMENT_WALLET = '/development/wallet.js'

const found = new Map<string, Wallet>()
const listeners = new Set<() => void>()
let isListening = false

/** Return the wallets that have announced themselves so far. */
export function wallets(): readonly Wallet[] {
  return [...found.values()]
}

/** Ask wallets to announce themselves, and be told of each new one until `stop` is called. */
export function watchWallets(listener: () => void): () => void {
  listeners.add(listener)
  if (!isListening) {
    isListening = true
    window.addEventListener('eip6963:announceProvider', announced)
    void loadDevelopmentWallet()
  }
  window.dispatchEvent(new Event('eip6963:requestProvider'))
  return () => listeners.delete(listener)
}

/** On a development chain the server may have a wallet; it announces itself like any other, or does not exist. */
async function loadDevelopmentWallet(): Promise<void> {
  if (!site().development) return
  const address: string = DEVELOPMENT_WALLET
  await import(address).catch(() => undefined)
}

function announced(event: Event): void {
  const wallet = readWallet((event as CustomEvent<unknown>).detail)
  // The first one with a uuid counts: a page's other scripts cannot take a wallet's place afterwards.
  if (wallet === undefined || found.has(wallet.uuid) || found.size >= MOST) return
  found.set(wallet.uuid, wallet)
  for (const listener of listeners) listener()
}

function readWallet(detail: unknown): Wallet | undefined {
  const { info, provider } = (detail ?? {}) as { readonly info?: unknown; readonly provider?: unknown }
  const { uuid, rdns, name, icon } = (info ?? {}) as Readonly<Record<string, unknown>>
  const isProvider = typeof (provider as { request?: unknown } | undefined)?.request === 'function'
  if (!isProvider || typeof uuid !== 'string' || uuid === '' || uuid.length > 100) return undefined
  return {
    uuid,
    rdns: typeof rdns === 'string' ? rdns.slice(0, 200) : '',
    name: nameOf(name, 'A wallet without a name').slice(0, 60),
    icon: typeof icon === 'string' && ICON.test(icon) ? icon : '',
    provider: provider as PageProvider,
  }
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
