import { assertionText, signedAssertion } from '../domain/assertion.js'
import { toBase64url } from '../domain/bytes.js'
import { integer, object, optional, type Read, text } from '../domain/shape.js'
import { es256kDigest } from '../domain/signatures.js'
import { isInsituError } from '../errors.js'
import { type Account, abortable, type CallControl, onlySignal } from './account.js'
import type { Http } from './http.js'

/** What a token is for; the last part of its audience. */
export type Operation = (typeof OPERATIONS)[number]

const OPERATIONS = ['exec', 'compute', 'download', 'encrypt', 'upload', 'publish'] as const
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Milliseconds before a token's end from which it is no longer used. */
const MARGIN = 30_000

const TOKEN = /* @__PURE__ */ (() =>
  object({ access_token: text, expires_in: integer(), refresh_token: optional(text) }))()

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

/** The session of an account at a gateway: it signs once, for all operations, and again when the session is over. */
export class Session {
  readonly account: Account
  readonly #http: Http
  readonly #base: string
  #held: AccessToken | undefined
  #until = 0
  #turn: Promise<unknown> = Promise.resolve()

  /** @param url - address of the gateway, without the path of the API */
  constructor(http: Http, url: string, account: Account) {
    this.#http = http
    this.#base = `${url}/api/v1/gateway/services`
    this.account = account
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
      const isRefused = stale !== undefined && stale === bearer(this.#held)
      if (this.#held === undefined || isRefused || this.#until < performance.now()) {
        this.#held = await this.#renew(this.#held, control)
        this.#until = performance.now() + this.#held.expires_in * 1000 - MARGIN
      }
      return { Authorization: bearer(this.#held) }
    })
    // Who waits for another caller's prompt can go away too.
    return abortable(mine, control.signal)
  }

  /** Return a token for one operation alone, without a session. Throws like `headers`. */
  async singleToken(operation: Operation, control: CallControl = {}): Promise<AccessToken> {
    return this.#signIn(`${this.#base}/${operation}`, control)
  }

  /** End the session, if there is one, and with it every access token. */
  async signOut(signal?: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      const token = this.#held?.refresh_token
      this.#held = undefined
      if (token === undefined) return
      await this.#http.call('POST', `${this.#base}/oauth/revoke`, { body: new URLSearchParams({ token }), signal })
    })
  }

  async #renew(held: AccessToken | undefined, control: CallControl): Promise<AccessToken> {
    if (held?.refresh_token !== undefined) {
      try {
        return await this.#ask({ grant_type: 'refresh_token', refresh_token: held.refresh_token }, control)
      } catch (error) {
        if (!isInsituError(error) || !['NotAllowed', 'TokenError'].includes(error.kind)) throw error
      }
    }
    return this.#signIn(
      OPERATIONS.map(operation => `${this.#base}/${operation}`),
      control,
    )
  }

  async #signIn(audience: string | readonly string[], control: CallControl): Promise<AccessToken> {
    const message = `Your wallet is asked to sign you in at ${new URL(this.#base).host}. This costs nothing.`
    control.onProgress?.({ step: 'sign-in', message })
    control.signal?.throwIfAborted()
    const assertion = await assertionOf(this.account, audience, control.signal)
    return this.#ask({ grant_type: JWT_BEARER, assertion }, control)
  }

  async #ask(form: Record<string, string>, control: CallControl): Promise<AccessToken> {
    const options = { body: new URLSearchParams(form), ...onlySignal(control) }
    return this.#http.read(TOKEN, 'POST', `${this.#base}/oauth/token`, options)
  }

  /** A session is renewed by one caller at a time: its refresh token can be used once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}

function bearer(token: AccessToken | undefined): string {
  return `Bearer ${token?.access_token ?? ''}`
}
