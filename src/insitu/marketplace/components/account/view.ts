/** What the windows about wallets and accounts show. */
import type { AgreementContracts } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { problemNote } from '../../elements/problem.js'
import type { Wallet } from '../../elements/wallets.js'
import { address, plain, shortAddress } from '../../elements/words.js'

/** The chooser of wallets. */
export interface Choosing {
  readonly wallets: readonly Pick<Wallet, 'uuid' | 'rdns' | 'name' | 'icon'>[]
  /** The uuid of the wallet that is asked for its accounts. */
  readonly asked?: string | undefined
  readonly error?: unknown
}

/** What a person can do in the chooser. */
export interface ChoosingActions {
  choose(uuid: string): void
  close(): void
}

export function chooserView(state: Choosing, actions: ChoosingActions): Child[] {
  const { wallets, asked } = state
  return [
    h('h2', {}, 'Which wallet signs for you?'),
    h('p', { class: 'text' }, 'It is asked for your address only. Each signature is asked for later, one by one.'),
    wallets.length > 0 && h('ul', { class: 'cards' }, ...wallets.map(wallet => row(wallet, asked, actions))),
    wallets.length === 0 && noWallet(),
    state.error !== undefined && problemNote(state.error),
    h('p', { class: 'row' }, h('button', { class: 'btn', type: 'button', onclick: actions.close }, 'Close')),
  ]
}

function row(wallet: Choosing['wallets'][number], asked: string | undefined, actions: ChoosingActions): HTMLElement {
  const isAsked = asked === wallet.uuid
  const icon = wallet.icon && h('img', { src: wallet.icon, alt: '', width: 32, height: 32 })
  const use = h(
    'button',
    { class: 'btn', type: 'button', onclick: () => actions.choose(wallet.uuid) },
    'Use ',
    wallet.name,
  )
  const state = isAsked && h('span', { class: 'st wait', role: 'status' }, 'Waiting for the wallet')
  return h(
    'li',
    { id: `wallet-${wallet.uuid.replace(/[^\w-]/g, '')}` },
    h('div', { class: 'row' }, icon, use, state),
    said(wallet),
  )
}

/** The name is a claim of whoever made the wallet; so is this, but it is what the browser's list of extensions shows. */
function said({ rdns }: Choosing['wallets'][number]): Child {
  return rdns && h('p', { class: 'small soft' }, 'Calls itself ', h('code', {}, plain(rdns, 60)))
}

function noWallet(): HTMLElement {
  return h(
    'div',
    { class: 'note' },
    h('p', {}, h('b', {}, 'This browser has no wallet that this page can see.')),
    h('p', {}, 'Install one as an extension of the browser, make an account in it, and reload this page. '),
    h('p', {}, 'On the machine of the provider, “insitu up” with a chain of its own brings a development wallet.'),
    h('p', {}, 'Without a wallet you can read everything here, and check receipts.'),
  )
}

/** The window about another chain. */
export interface ChangingChain {
  readonly present: number
  readonly wanted: number
  readonly isAsked: boolean
  readonly error?: unknown
}

export function chainView(state: ChangingChain, actions: { change(): void; close(): void }): Child[] {
  const { present, wanted, isAsked } = state
  return [
    h('h2', {}, 'Your wallet is on another chain'),
    h('p', { class: 'text' }, `It is on chain ${present}. This provider and its payments are on chain ${wanted}.`),
    state.error !== undefined && problemNote(state.error),
    isAsked && h('p', { class: 'st wait', role: 'status' }, 'Waiting for the wallet'),
    h(
      'p',
      { class: 'row' },
      h('button', { class: 'btn first', type: 'button', onclick: actions.change }, `Change to chain ${wanted}`),
      h('button', { class: 'btn', type: 'button', onclick: actions.close }, 'Not now'),
    ),
  ]
}

/** The window about the account. */
export interface AccountFacts {
  readonly address: string
  readonly wallet: string
  /** Empty while it is not known. */
  readonly balance: string
  readonly chain: string
  readonly gateway: string
  readonly contracts?: AgreementContracts | undefined
  /** The account is that of a contract: what it can do differs. */
  readonly isContract: boolean
  readonly error?: unknown
}

export interface AccountActions {
  change(): void
  signOut(): void
  close(): void
}

export function accountView(state: AccountFacts, actions: AccountActions): Child[] {
  const facts: readonly (readonly [string, Child])[] = [
    ['Address', address(state.address)],
    ['Balance', state.balance || 'not known yet'],
    ['Chain', state.chain],
    ['Wallet', state.wallet],
    ['Provider', plain(state.gateway, 120)],
    ['Escrow', state.contracts && address(state.contracts.template)],
    ['Registry', state.contracts && address(state.contracts.registry)],
    ['Token', state.contracts && address(state.contracts.token)],
  ]
  return [
    h('h2', {}, `Account ${shortAddress(state.address)}`),
    h('dl', { class: 'facts' }, ...facts.map(([name, value]) => value && fact(name, value))),
    state.isContract && contractNote(),
    state.error !== undefined && problemNote(state.error),
    h(
      'p',
      { class: 'row' },
      h('button', { class: 'btn', type: 'button', onclick: actions.change }, 'Use another account'),
      h('button', { class: 'btn', type: 'button', onclick: actions.signOut }, 'Sign out'),
      h('button', { class: 'btn', type: 'button', onclick: actions.close }, 'Close'),
    ),
  ]
}

function fact(name: string, value: Child): HTMLElement {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value))
}

function contractNote(): HTMLElement {
  return h(
    'div',
    { class: 'note' },
    h('p', {}, h('b', {}, 'This is the account of a contract.')),
    h('p', {}, 'It can sign in, publish and buy if its contract approves signatures (ERC-1271).'),
    h('p', {}, 'It cannot sign a permit: before a purchase, let it approve the price for the escrow, at the token.'),
  )
}

/** The window about something that went wrong while nothing else was shown. */
export function problemView(error: unknown, close: () => void): Child[] {
  const button = h('button', { class: 'btn', type: 'button', onclick: close }, 'Close')
  return [h('h2', {}, 'That did not work'), problemNote(error), h('p', { class: 'row' }, button)]
}
