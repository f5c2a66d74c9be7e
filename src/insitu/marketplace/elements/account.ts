/** The account of the person who looks at the page: a wallet that was chosen, and clients that sign with it. */
import {
  type AccountClient,
  connectAccount,
  InsituError,
  sessionStorageOf,
  sharedByTabs,
  type WalletProvider,
} from 'insitu'
import { type Address, isInsituError, readAddress, sameAddress } from 'insitu/domain'
import { walletAccount } from 'insitu/wallets'
import { site } from './site.js'
import { type Wallet, walletNamed } from './wallets.js'

/** An account at a gateway. */
export interface SignedIn {
  readonly client: AccountClient
  readonly address: Address
  /** Address of the gateway, without the path of its API. */
  readonly gateway: string
  readonly chainId: number
}

/** The wallet and the one of its accounts that the person uses. */
export interface Chosen {
  readonly wallet: Wallet
  readonly address: Address
}

/** How somebody waits. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined
}

/** What a tab remembers of the account, so that the next page shows it. */
const REMEMBERED = 'insitu.account'

/** One for the page: a refresh token can be used once. */
const sessions = sessionStorageOf(sessionStorage)
const signedIn = new Map<string, SignedIn>()
/** What was asked without a person: the head and the content of a page ask for the same. */
const resuming = new Map<string, Promise<SignedIn | undefined>>()
const listeners = new Set<{ readonly url: string; readonly hear: (now: SignedIn | undefined) => void }>()
let chosen: Chosen | undefined
let latest: SignedIn | undefined

/** Return the account that the head of the page shows: the first that was opened, at whichever gateway. */
export function account(): SignedIn | undefined {
  return latest
}

/**
 * Call a function with each change of the account at a gateway: another account, another chain, signed out. What other gateways
 * open is not told. Return how to stop.
 */
export function onAccount(gateway: string, hear: (now: SignedIn | undefined) => void): () => void {
  const listener = { url: origin(gateway), hear }
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/**
 * Return the account at a gateway. Opens the chooser of wallets if none was chosen. The wallet itself is asked to sign in
 * only by the first call that needs it.
 *
 * @throws DOMException `AbortError` if the person closes a window; InsituError `RejectedByUser`, what `connectAccount` throws
 */
export async function signIn(gateway: string, waiting: Waiting = {}): Promise<SignedIn> {
  const remembered = await resume(gateway, waiting)
  if (remembered !== undefined) return remembered
  if (chosen === undefined) {
    const dialogs = await import('../components/account/dialogs.js')
    use(await dialogs.chooseWallet(waiting.signal))
  }
  return at(gateway, true, waiting) as Promise<SignedIn>
}

/**
 * Return the account that this tab used before, without asking anybody; undefined if a person has to be asked, also because
 * the wallet is on another chain.
 */
export async function resume(gateway: string, waiting: Waiting = {}): Promise<SignedIn | undefined> {
  if (chosen === undefined) {
    const found = await rememberedChoice()
    // Whoever asked at the same time may have found it first.
    chosen ??= found
  }
  waiting.signal?.throwIfAborted()
  if (chosen === undefined) return undefined
  return at(gateway, false, waiting)
}

/** Forget the account, and end its sessions at all gateways. */
export async function signOut(): Promise<void> {
  const open = [...signedIn.entries()]
  forget()
  chosen = undefined
  sessionStorage.removeItem(REMEMBERED)
  tell()
  await Promise.allSettled(open.map(([gateway, { client }]) => client.session(gateway).signOut()))
}

/** Use this wallet and account from now on. */
export function choose(choice: Chosen): void {
  use(choice)
  tell()
}

function use(choice: Chosen): void {
  forget()
  chosen = choice
  remember(choice)
  listen(choice.wallet)
}

/** Return the wallet and account that are used, if a person has chosen. */
export function choice(): Chosen | undefined {
  return chosen
}

async function at(gateway: string, mayAsk: boolean, waiting: Waiting): Promise<SignedIn | undefined> {
  const url = origin(gateway)
  const known = signedIn.get(url)
  if (known !== undefined) return known
  if (mayAsk) return keep(url, await open(url, true, waiting))
  const asked = resuming.get(url) ?? open(url, false).then(opened => keep(url, opened))
  resuming.set(url, asked)
  return asked.finally(() => resuming.get(url) === asked && resuming.delete(url))
}

function origin(gateway: string): string {
  return gateway.replace(/\/+$/, '')
}

function keep(url: string, opened: SignedIn | undefined): SignedIn | undefined {
  if (opened === undefined || signedIn.has(url)) return signedIn.get(url)
  signedIn.set(url, opened)
  latest ??= opened
  tell(url)
  return opened
}

async function open(url: string, mayAsk: boolean, { signal }: Waiting = {}): Promise<SignedIn | undefined> {
  const mine = chosen
  if (mine === undefined) throw new DOMException('no account is chosen', 'AbortError')
  const { provider } = mine.wallet
  const account = await walletAccount(provider, mine.address)
  const connected = () =>
    connectAccount(url, account, {
      ...{ provider, signal, sessions, sharing: sharedByTabs(), metadataUrl: site().catalogue },
      confirmContracts: async shown =>
        (await import('../components/account/dialogs.js')).confirmContracts(shown, url, signal),
    })
  const client = await connected().catch(async error => {
    const wanted = otherChain(error)
    if (wanted === undefined) throw error
    if (!mayAsk) return undefined
    const dialogs = await import('../components/account/dialogs.js')
    await dialogs.changeChain(provider, wanted, signal)
    return connected()
  })
  if (chosen !== mine) throw changed()
  return client && { client, address: mine.address, gateway: url, chainId: client.contracts.chainId }
}

/** Return the chain that the provider uses, if the wallet is on another one. */
function otherChain(error: unknown): number | undefined {
  if (!isInsituError(error) || error.code !== 'ContractMismatch') return undefined
  const { chainId } = error.context
  return typeof chainId === 'number' ? chainId : undefined
}

/** Return the error of a call that was for another account or chain than the wallet has now. */
export function changed(): InsituError {
  return new InsituError('AccountChanged', 'the account or the chain of the wallet changed meanwhile', {
    ...{ kind: 'NotAllowed', retry: true, nextStep: 'Look at the account above, and ask again.' },
  })
}

function forget(): void {
  signedIn.clear()
  resuming.clear()
  latest = undefined
}

/** Tell of a change at one gateway, or at all of them; the head of the page hears of each. */
function tell(url?: string): void {
  document.dispatchEvent(new Event('insitu-account'))
  for (const one of listeners) if (url === undefined || one.url === url) one.hear(signedIn.get(one.url))
}

async function rememberedChoice(): Promise<Chosen | undefined> {
  const { rdns, address } = readRemembered()
  if (rdns === '' || address === '') return undefined
  const wallet = await walletNamed(rdns)
  const accounts = wallet ? await wallet.provider.request({ method: 'eth_accounts' }).catch(() => []) : []
  const isThere = Array.isArray(accounts) && accounts.some(one => sameAddress(String(one), address))
  if (wallet === undefined || !isThere) return undefined
  listen(wallet)
  return { wallet, address: readAddress(address) }
}

function readRemembered(): { readonly rdns: string; readonly address: string } {
  try {
    const { rdns, address } = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? '{}')
    return { rdns: String(rdns ?? ''), address: /^0x[0-9a-fA-F]{40}$/.test(address) ? address : '' }
  } catch {
    return { rdns: '', address: '' }
  }
}

function remember({ wallet, address }: Chosen): void {
  sessionStorage.setItem(REMEMBERED, JSON.stringify({ rdns: wallet.rdns, address }))
}

/** Let the head of the next page show a balance before anything is asked. */
export function rememberBalance(balance: string): void {
  if (chosen === undefined) return
  const { wallet, address } = chosen
  sessionStorage.setItem(REMEMBERED, JSON.stringify({ rdns: wallet.rdns, address, balance }))
}

const heard = new WeakSet<object>()

/** What a person changes in the wallet ends what this page was doing for the other account or chain. */
function listen({ provider }: Wallet): void {
  if (heard.has(provider) || provider.on === undefined) return
  heard.add(provider)
  provider.on('accountsChanged', accounts => accountsChanged(provider, accounts))
  provider.on('chainChanged', () => {
    if (chosen?.wallet.provider !== provider) return
    forget()
    tell()
  })
}

function accountsChanged(provider: WalletProvider, accounts: unknown): void {
  if (chosen?.wallet.provider !== provider) return
  const [first] = Array.isArray(accounts) ? accounts : []
  if (sameAddress(String(first), chosen.address)) return
  const { wallet } = chosen
  chosen = undefined
  sessionStorage.removeItem(REMEMBERED)
  forget()
  tell()
  if (/^0x[0-9a-fA-F]{40}$/.test(String(first))) choose({ wallet, address: readAddress(String(first)) })
}
