/** What the account in the head does once somebody uses it. */
import type { AgreementContracts } from 'insitu'
import { account, choice, rememberBalance, resume, type SignedIn, signIn, signOut } from '../../elements/account.js'
import { ask } from '../../elements/dialog.js'
import { h, replaceChildren } from '../../elements/dom.js'
import { problemOf } from '../../elements/problem.js'
import { site } from '../../elements/site.js'
import { amount, shortAddress } from '../../elements/words.js'
import { type AccountFacts, accountView, problemView } from './view.js'

const BALANCE = { contract: 'NeverminedToken', signature: 'balanceOf(address)', returns: ['uint256'] } as const
/** An account whose code only delegates still signs with its key (EIP-7702). */
const DELEGATION = '0xef0100'

const followed = new WeakSet<Element>()

/** Keep what the head shows true from now on. */
export function follow(element: Element): void {
  if (followed.has(element)) return
  followed.add(element)
  document.addEventListener('insitu-account', () => void update(element))
  document.addEventListener('insitu-paid', () => void update(element))
  if (!isReachable()) return
  resume(gateway())
    .catch(() => undefined)
    .finally(() => void update(element))
}

/** Let the person choose a wallet, or show the account. */
export async function openAccount(element: Element): Promise<void> {
  // A page about documents may call the gateways of these alone; the page of the account, those of the settings.
  if (!isReachable()) return location.assign('/account')
  follow(element)
  try {
    const isNew = (await resume(gateway())) === undefined
    const now = await signIn(gateway())
    if (!isNew) await showAccount(now)
  } catch (error) {
    if (problemOf(error) !== undefined) await showProblem(error)
  }
}

function gateway(): string {
  return account()?.gateway ?? site().gateways[0] ?? location.origin
}

function isReachable(): boolean {
  const { origin } = new URL(gateway())
  return origin === location.origin || site().reachable.includes(origin)
}

async function update(element: Element): Promise<void> {
  const link = element.querySelector('a')
  const chosen = choice()
  if (link === null) return
  if (chosen === undefined) {
    link.setAttribute('aria-label', 'Account: choose a wallet')
    return replaceChildren(link, 'Choose a wallet')
  }
  const { address } = chosen
  const now = account()
  const balance = now ? await balanceOf(now).catch(() => '') : ''
  if (choice() !== chosen) return
  rememberBalance(balance)
  link.setAttribute('aria-label', `Account ${shortAddress(address)} ${balance}`)
  replaceChildren(link, h('span', { class: 'mono' }, shortAddress(address)), balance && `\u2002${balance}`)
}

async function balanceOf({ client, address }: SignedIn): Promise<string> {
  const { chain } = client.parts
  const [held] = await chain.view(client.contracts.token, BALANCE, [address])
  return amount(BigInt(String(held)), await chain.token())
}

async function factsOf(now: SignedIn): Promise<AccountFacts> {
  const { client, address, gateway: url, chainId } = now
  const [code, balance] = await Promise.all([client.parts.chain.code(address), balanceOf(now)])
  const contracts: AgreementContracts = client.contracts
  const isContract = code !== '0x' && !code.startsWith(DELEGATION)
  const chain = `${chainId}${site().development ? ', for development' : ''}`
  return { address, balance, chain, gateway: url, contracts, isContract, wallet: choice()?.wallet.name ?? '' }
}

async function showAccount(now: SignedIn): Promise<void> {
  const facts = await factsOf(now)
  const next = await ask<'change' | 'out' | 'close'>('Your account', ({ show, answer }) => {
    const actions = { change: () => answer('change'), signOut: () => answer('out'), close: () => answer('close') }
    show(...accountView(facts, actions))
    return undefined
  })
  if (next !== 'close') await signOut()
  if (next === 'change') await signIn(now.gateway)
}

async function showProblem(error: unknown): Promise<void> {
  await ask<void>('What went wrong', ({ show, answer }) => {
    show(...problemView(error, () => answer()))
    return undefined
  }).catch(() => undefined)
}
