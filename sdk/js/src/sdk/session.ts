import { assertionText, signedAssertion } from '../domain/assertion.js'
import { toBase64url, toHex } from '../domain/bytes.js'
import { readJson } from '../domain/json-text.js'
import { integer, object, optional, type Read, readAs, text } from '../domain/shape.js'
import { renderSignInMessage } from '../domain/sign-in-message.js'
import { es256kDigest } from '../domain/signatures.js'
import { isInsituError } from '../errors.js'
import { type Account, abortable, type CallControl, onlySignal } from './account.js'
import type { Http } from './http.js'
import type { SessionStore } from './session-store.js'

/** What a token is for; the last part of its audience. */
export type Operation = (typeof OPERATIONS)[number]

const OPERATIONS = ['exec', 'compute', 'download', 'encrypt', 'upload', 'publish'] as const
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ERC_4361 = 'https://eips.ethereum.org/EIPS/eip-4361'
/** Milliseconds for which a signed message opens a session. */
const MESSAGE_LIFETIME = 300_000
/** Milliseconds before a token's end from which it is no longer used. */
const MARGIN = 30_000

const TOKEN = /* @__PURE__ */ (() =>
  object({ access_token: text, expires_in: integer(), refresh_token: optional(text) }))()

/** What a store keeps; `until` in milliseconds since 1970. */
const KEPT = /* @__PURE__ */ (() => object({ token: TOKEN, until: integer() }))()

/** An access token; a session has one that renews it. */
export type AccessToken = Read<typeof TOKEN>

/**
 * Let an account sign that it signs in, once, now (RFC 7523, RFC 8812).
 *
 * @param audience - urls of operations at the gateway that is called; another gateway cannot use the assertion. A list
 * opens a session, a text is for one access token.
 */
export async function assertionOf(
  account: Account,
  audience: string | readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const nonce = toBase64url(crypto.getRandomValues(new Uint8Array(24)))
  const now = Math.floor(Date.now() / 1000)
  const asText = account.signDigest === undefined
  const unsigned = assertionText(account.address, audience, now, nonce, asText)
  if (account.signDigest !== undefined) {
    return signedAssertion(unsigned, account.address, account.signDigest(es256kDigest(unsigned)))
  }
  return `${unsigned}.${toBase64url(await abortable(account.signText(unsigned), signal))}`
}

/**
 * Let a wallet sign the message of ERC-4361 that signs it in: wallets show it in words, and compare its domain with the page.
 *
 * @param base - address of the gateway's services
 */
async function signedMessage(account: Account, base: string, page: SignInPage, control: CallControl) {
  const { protocol, host } = new URL(page.origin)
  const now = Date.now()
  const text = renderSignInMessage({
    scheme: protocol.slice(0, -1),
    domain: host,
    address: account.address,
    statement: `Sign in at ${new URL(base).host}. This costs nothing.`,
    uri: `${base}/oauth/token`,
    chainId: page.chainId,
    nonce: toHex(crypto.getRandomValues(new Uint8Array(16))).slice(2),
    issuedAt: timeText(now),
    expirationTime: timeText(now + MESSAGE_LIFETIME),
    resources: OPERATIONS.map(operation => `${base}/${operation}`),
  })
  return { text, sign: async () => toHex(await abortable(account.signText(text), control.signal)) }
}

function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

/** The page that asks a wallet, as the message names it. */
export interface SignInPage {
  readonly origin: string
  readonly chainId: number
}

/** A session as everybody has it who shares a store. */
interface Held {
  isLoaded: boolean
  token: AccessToken | undefined
  until: number
  turn: Promise<unknown>
}

/** Of every store, the sessions of this page: a refresh token can be used once, so nobody has a copy. */
const SHARED = /* @__PURE__ */ new WeakMap<SessionStore, Map<string, Held>>()

function heldIn(store: SessionStore | undefined, name: string): Held {
  const every = (store && SHARED.get(store)) ?? new Map<string, Held>()
  if (store) SHARED.set(store, every)
  const found = every.get(name) ?? { isLoaded: false, token: undefined, until: 0, turn: Promise.resolve() }
  every.set(name, found)
  return found
}

/** The session of an account at a gateway: it signs once, for all operations, and again when the session is over. */
export class Session {
  readonly account: Account
  readonly #http: Http
  readonly #base: string
  readonly #store: SessionStore | undefined
  readonly #page: SignInPage | undefined
  readonly #name: string
  readonly #held: Held

  /**
   * @param url - address of the gateway, without the path of the API
   * @param store - where the session outlives the page
   * @param page - where a wallet is asked; without it, or with a key of this program, an assertion is signed
   */
  constructor(http: Http, url: string, account: Account, store?: SessionStore, page?: SignInPage) {
    this.#page = account.signDigest === undefined ? page : undefined
    this.#http = http
    this.#base = `${url}/api/v1/gateway/services`
    this.account = account
    this.#store = store
    this.#name = `${url} ${account.address}`
    this.#held = heldIn(store, this.#name)
  }

  /**
   * Return the Authorization header. Several callers share one signature.
   *
   * @param stale - the token that the gateway refused, if it refused one: then another one is asked for
   * @throws InsituError `RejectedByUser` from a wallet, what the gateway refuses with
   */
  headers(control: CallControl = {}, stale?: string): Promise<{ readonly Authorization: string }> {
    const mine = this.#inTurn(async () => {
      control.signal?.throwIfAborted()
      await this.#load(control.signal)
      const held = this.#held
      const isRefused = stale !== undefined && stale === bearer(held.token)
      if (held.token === undefined || isRefused || held.until < performance.now()) {
        held.token = await this.#renew(held.token, control)
        held.until = performance.now() + held.token.expires_in * 1000 - MARGIN
        await this.#keep()
      }
      return { Authorization: bearer(held.token) }
    })
    // Who waits for another caller's prompt can go away too.
    return abortable(mine, control.signal)
  }

  /** Return a token for one operation alone, without a session. Throws like `headers`. */
  async singleToken(operation: Operation, control: CallControl = {}): Promise<AccessToken> {
    return this.#signIn(`${this.#base}/${operation}`, control)
  }

  /** Return whether there is a session already, in this page or kept by the tab, so that the account need not sign again. */
  async isKept(signal?: AbortSignal): Promise<boolean> {
    await this.#inTurn(() => this.#load(signal))
    return this.#held.token !== undefined
  }

  /** End the session, if there is one, and with it every access token. */
  async signOut(signal?: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      await this.#load(signal)
      const token = this.#held.token?.refresh_token
      await this.#forget()
      if (token === undefined) return
      await this.#http.call('POST', `${this.#base}/oauth/revoke`, { body: new URLSearchParams({ token }), signal })
    })
  }

  async #renew(held: AccessToken | undefined, control: CallControl): Promise<AccessToken> {
    if (held?.refresh_token !== undefined) {
      try {
        // Whoever goes away takes nothing along: a renewal whose answer is lost would end the session.
        return await this.#ask({ grant_type: 'refresh_token', refresh_token: held.refresh_token }, {})
      } catch (error) {
        if (!isInsituError(error) || !['NotAllowed', 'TokenError'].includes(error.kind)) throw error
      }
    }
    await this.#forget()
    if (this.#page !== undefined) return this.#signMessage(this.#page, control)
    return this.#signIn(
      OPERATIONS.map(operation => `${this.#base}/${operation}`),
      control,
    )
  }

  async #signIn(audience: string | readonly string[], control: CallControl): Promise<AccessToken> {
    control.onProgress?.({ step: 'sign-in', message: this.#announcement })
    control.signal?.throwIfAborted()
    const assertion = await assertionOf(this.account, audience, control.signal)
    return this.#ask({ grant_type: JWT_BEARER, assertion }, control)
  }

  async #signMessage(page: SignInPage, control: CallControl): Promise<AccessToken> {
    const { text: message, sign } = await signedMessage(this.account, this.#base, page, control)
    control.onProgress?.({ step: 'sign-in', message: this.#announcement, asks: message })
    control.signal?.throwIfAborted()
    return this.#ask({ grant_type: ERC_4361, message, signature: await sign() }, control)
  }

  get #announcement(): string {
    return `Your wallet is asked to sign you in at ${new URL(this.#base).host}. This costs nothing.`
  }

  async #ask(form: Record<string, string>, control: CallControl): Promise<AccessToken> {
    const options = { body: new URLSearchParams(form), ...onlySignal(control) }
    return this.#http.read(TOKEN, 'POST', `${this.#base}/oauth/token`, options)
  }

  /** Take up the session of the page before, once. */
  async #load(signal?: AbortSignal): Promise<void> {
    if (this.#held.isLoaded) return
    const kept = await ignoringFailures(async () => {
      const text = await this.#store?.load(this.#name, signal)
      return text && readAs(KEPT, readJson(text))
    })
    signal?.throwIfAborted()
    const now = performance.now()
    Object.assign(this.#held, { isLoaded: true }, kept && { token: kept.token, until: now + kept.until - Date.now() })
  }

  /** Let a later page go on with the session. */
  async #keep(): Promise<void> {
    const until = Math.max(0, Math.round(Date.now() + this.#held.until - performance.now()))
    const kept = JSON.stringify({ token: this.#held.token, until })
    await ignoringFailures(() => this.#store?.save(this.#name, kept))
  }

  async #forget(): Promise<void> {
    this.#held.token = undefined
    await ignoringFailures(() => this.#store?.clear(this.#name))
  }

  /** A session is renewed by one caller at a time: its refresh token can be used once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#held.turn.then(work, work)
    this.#held.turn = mine.catch(() => undefined)
    return mine
  }
}

/** A store that fails costs a prompt, and nothing else. */
async function ignoringFailures<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined
  }
}

function bearer(token: AccessToken | undefined): string {
  return `Bearer ${token?.access_token ?? ''}`
}
