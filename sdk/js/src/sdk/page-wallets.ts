import type { WalletProvider } from './chain-reader.js'

/** A wallet's connection that also tells when its person changes account or chain (EIP-1193). */
export interface PageProvider extends WalletProvider {
  on?(event: string, listener: (now: unknown) => void): unknown
  removeListener?(event: string, listener: (now: unknown) => void): unknown
}

/** A wallet that has announced itself to this page (EIP-6963). What it says of itself is a stranger's text. */
export interface Wallet {
  /** Of this page load. Two wallets may have the same name, but not the same uuid. */
  readonly uuid: string
  /** The same in every page load, such as `com.example.wallet`; anybody may claim it. */
  readonly rdns: string
  /** One short line. Characters that are invisible or change the direction of text are `�`. */
  readonly name: string
  /** A picture as a `data:` address for `img`, or empty: one from elsewhere would tell its server who is here. */
  readonly icon: string
  readonly provider: PageProvider
}

const ICON = /^data:image\/(?:png|jpeg|webp|gif|svg\+xml)[;,][^\s"<>]{1,100000}$/
const SPACED_ICON = /^data:image\/svg\+xml[;,][^"\n\r]{1,100000}$/
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu
/** A script that announces wallets without end fills no memory. */
const MOST = 50

/**
 * Ask wallets to announce themselves, and be called now and with each new one.
 *
 * The first wallet with a uuid counts, so another script cannot take its place later.
 *
 * @returns how to stop
 */
export function watchWallets(listener: (wallets: readonly Wallet[]) => void): () => void {
  const found = new Map<string, Wallet>()
  const announced = (event: Event) => {
    const wallet = readWallet((event as CustomEvent<unknown>).detail)
    if (wallet === undefined || found.has(wallet.uuid) || found.size >= MOST) return
    found.set(wallet.uuid, wallet)
    listener([...found.values()])
  }
  listener([])
  window.addEventListener('eip6963:announceProvider', announced)
  window.dispatchEvent(new Event('eip6963:requestProvider'))
  return () => window.removeEventListener('eip6963:announceProvider', announced)
}

/**
 * Return the wallets of this browser, each once.
 *
 * @param patience - milliseconds in which they may announce themselves
 */
export async function discoverWallets(patience = 200): Promise<readonly Wallet[]> {
  let found: readonly Wallet[] = []
  const stop = watchWallets(wallets => {
    found = wallets
  })
  await new Promise(resolve => setTimeout(resolve, patience))
  stop()
  return found
}

function readWallet(detail: unknown): Wallet | undefined {
  try {
    const { info, provider } = detail as { readonly info: Readonly<Record<string, unknown>>; provider: PageProvider }
    const { uuid, rdns, name, icon } = info
    if (typeof provider.request !== 'function' || typeof uuid !== 'string' || !/^.{1,100}$/.test(uuid)) return undefined
    return Object.freeze({
      uuid,
      rdns: line(rdns, 200),
      name: line(name, 60) || 'A wallet without a name',
      icon: typeof icon === 'string' && (ICON.test(icon) || SPACED_ICON.test(icon)) ? icon : '',
      provider,
    })
  } catch {
    return undefined // It is nothing that this page could use.
  }
}

function line(text: unknown, most: number): string {
  return typeof text === 'string' ? text.slice(0, most).replace(UNSEEN, '\u{fffd}').trim() : ''
}
