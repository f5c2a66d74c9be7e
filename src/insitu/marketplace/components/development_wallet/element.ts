/**
 * A wallet for development chains, as a script of the server's page. It has no keys: the response that starts it brings
 * them, and only a server on the visitor's own machine sends that.
 */
import { fromHex, type TypedData, type TypedStructs, toHex, utf8 } from 'insitu/domain'
import { type LocalKey, localKey } from 'insitu/wallets'
import { ask } from '../../elements/dialog.js'
import { replaceChildren } from '../../elements/dom.js'
import { approvalView, type Request, roleView } from './view.js'

const RDNS = 'network.insitu.development'
const ROLE = 'insitu.development.role'
const CONNECTED = 'insitu.development.connected'
const RPC = '/api/v1/gateway/services/rpc'
const FIRST = 'consumer'

type Call = { readonly method: string; readonly params?: readonly unknown[] }
type Listener = (now: unknown) => void

/** A wallet's error (EIP-1193). */
class WalletError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** An EIP-1193 provider that signs with keys which everybody knows, after the person has approved. */
class DevelopmentWallet {
  readonly #keys: ReadonlyMap<string, LocalKey>
  readonly #listeners = new Map<string, Set<Listener>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(keys: Readonly<Record<string, string>>) {
    this.#keys = new Map(Object.entries(keys).map(([role, key]) => [role, localKey(key)]))
  }

  get roles(): readonly string[] {
    return [...this.#keys.keys()]
  }

  get role(): string {
    const role = sessionStorage.getItem(ROLE) ?? FIRST
    return this.#keys.has(role) ? role : (this.roles[0] ?? '')
  }

  /** Be somebody else from now on; pages hear of it as they do with any wallet. */
  change(role: string): void {
    sessionStorage.setItem(ROLE, role)
    this.#tell('accountsChanged', this.#accounts())
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener))
  }

  removeListener(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener)
  }

  async request({ method, params = [] }: Call): Promise<unknown> {
    switch (method) {
      case 'eth_accounts':
        return this.#accounts()
      case 'eth_requestAccounts':
        return this.#connect()
      case 'personal_sign':
        return this.#signText(String(params[0]), String(params[1]))
      case 'eth_signTypedData_v4':
        return this.#signTypedData(String(params[0]), String(params[1]))
      case 'wallet_switchEthereumChain':
        return this.#changeChain(params[0])
      default:
        return askNode(method, params)
    }
  }

  #accounts(): string[] {
    const key = this.#keys.get(this.role)
    return key && sessionStorage.getItem(CONNECTED) !== null ? [key.address] : []
  }

  async #connect(): Promise<string[]> {
    if (this.#accounts().length === 0) await this.#approve({ kind: 'connect' }, this.#key())
    sessionStorage.setItem(CONNECTED, 'yes')
    return this.#accounts()
  }

  async #signText(hex: string, address: string): Promise<string> {
    const key = this.#keyOf(address)
    const text = textOfHex(hex)
    await this.#approve({ kind: 'text', text }, key)
    return toHex(key.signText(text))
  }

  async #signTypedData(address: string, json: string): Promise<string> {
    const key = this.#keyOf(address)
    const { types, ...shown } = JSON.parse(json)
    await this.#approve({ kind: 'typed data', typedData: shown }, key)
    const { EIP712Domain: _domain, ...structs } = types
    const message = withNumbers(structs, shown.primaryType, shown.message) as TypedData['message']
    return toHex(key.signTypedData({ ...shown, types: structs, message }))
  }

  async #changeChain(wanted: unknown): Promise<null> {
    const { chainId } = (wanted ?? {}) as { readonly chainId?: unknown }
    if (Number(chainId) === Number(await askNode('eth_chainId', []))) return null
    throw new WalletError(4902, 'this wallet has the development chain only')
  }

  #key(): LocalKey {
    const key = this.#keys.get(this.role)
    if (key === undefined) throw new WalletError(4100, 'this wallet has no account')
    return key
  }

  #keyOf(address: string): LocalKey {
    const key = this.#key()
    if (address.toLowerCase() === key.address.toLowerCase() && this.#accounts().length > 0) return key
    throw new WalletError(4100, 'the page is not connected to this account')
  }

  /** Ask the person, one question after the other. */
  #approve(request: Request, { address }: LocalKey): Promise<void> {
    const role = this.role
    const mine = this.#turn.then(() => approved(request, role, address))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #tell(event: string, now: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(now)
  }
}

/** Return a member of typed data with its numbers as such: JSON has large ones as text. */
function withNumbers(types: TypedStructs, type: string, value: unknown): unknown {
  if (type.endsWith('[]')) return (value as readonly unknown[]).map(item => withNumbers(types, type.slice(0, -2), item))
  const struct = types[type]
  if (struct === undefined) return /^u?int\d*$/.test(type) ? BigInt(value as string) : value
  const given = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(struct.map(member => [member.name, withNumbers(types, member.type, given[member.name])]))
}

async function approved(request: Request, role: string, address: string): Promise<void> {
  const answer = await ask<boolean>('The development wallet asks', question => {
    const actions = { accept: () => question.answer(true), reject: () => question.answer(false) }
    question.show(...approvalView({ request, role, address, origin: location.origin }, actions))
    return undefined
  }).catch(() => false)
  if (!answer) throw new WalletError(4001, 'the person said no')
}

function textOfHex(hex: string): string {
  const text = new TextDecoder().decode(fromHex(hex))
  if (toHex(utf8(text)) === hex.toLowerCase()) return text
  throw new WalletError(-32602, 'the text is not UTF-8 in hexadecimal digits')
}

async function askNode(method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(RPC, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  const { result, error } = await response.json()
  if (result !== undefined) return result
  throw new WalletError(
    Number(error?.code ?? -32603),
    String(error?.message ?? 'the node did not answer').slice(0, 200),
  )
}

/** Announce the wallet to the page (EIP-6963), and show in the banner who one is. */
export function start(keys: Readonly<Record<string, string>>): void {
  const provider = new DevelopmentWallet(keys)
  const info = { uuid: crypto.randomUUID(), name: 'insitu development wallet', icon: '', rdns: RDNS }
  const announce = () => {
    const detail = Object.freeze({ info, provider })
    window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  }
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
  const banner = document.getElementById('insitu-development')
  const show = () => {
    if (banner !== null) replaceChildren(banner, roleView(provider.roles, provider.role, change))
  }
  const change = (role: string) => {
    provider.change(role)
    show()
  }
  show()
}
