import * as errors from '../api/errors.gen.js'
import type { Json } from '../domain/canonical.js'
import { readJson } from '../domain/json-text.js'
import { anyObject, flag, list, object, optional, type Reader, readAs, text, withDefault } from '../domain/shape.js'
import { type ErrorKind, InsituError, isInsituError } from '../errors.js'

/** How servers are reached. */
export interface HttpOptions {
  /** In place of the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds without a byte after which a server counts as silent; 60,000 if it is left out. */
  readonly silence?: number | undefined
  /** Waits between two attempts, in milliseconds. */
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined
}

/** One call. */
export interface CallOptions {
  /** Parameters of the query; undefined ones are left out. */
  readonly params?: Readonly<Record<string, string | number | readonly string[] | undefined>> | undefined
  /** Amounts in it, which are bigint, become text. */
  readonly json?: unknown
  /** Sent as it is, in place of JSON. */
  readonly body?: BodyInit | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Repeating the call is harmless, although its method does not promise it. */
  readonly idempotent?: boolean | undefined
  /** Only for what carries no token. */
  readonly followRedirects?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const ATTEMPTS = 4
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5000
const MAX_ANSWER = 32 * 1024 * 1024
const REPEATABLE = ['DELETE', 'GET', 'HEAD', 'PUT']
/** Statuses that mean "not now". */
const PASSING = [429, 502, 503, 504]

/** The class of a problem by its status; other refusals are about the input. */
const KINDS: Readonly<Record<number, ErrorKind>> = {
  401: 'NotAllowed',
  402: 'Conflict',
  403: 'NotAllowed',
  404: 'NotFound',
  409: 'Conflict',
  410: 'NotFound',
  429: 'LimitReached',
  503: 'Unavailable',
  504: 'Unavailable',
}

const PROBLEM = /* @__PURE__ */ (() =>
  object({
    code: text,
    detail: text,
    nextStep: withDefault(text, ''),
    retry: withDefault(flag, false),
    pointer: optional(text),
    problems: withDefault(list(object({ pointer: text, code: text, message: text })), []),
    context: withDefault(anyObject, {}),
  }))()

/** Calls servers: safe retries, problem documents as errors, bounded answers. */
export class Http {
  readonly #fetch: typeof globalThis.fetch
  readonly #silence: number
  readonly #pause: (milliseconds: number) => Promise<void>

  constructor(options: HttpOptions = {}) {
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
    this.#silence = options.silence ?? 60_000
    this.#pause = options.pause ?? (milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)))
  }

  /**
   * Call and return the JSON of the answer; null if it is empty.
   *
   * @throws InsituError the server's problem, and `PeerUnavailable` if it does not answer, redirects, or answers with
   * something that is not JSON or has more than 32 MiB; the reason of an aborted signal
   */
  async call(method: string, url: string, options: CallOptions = {}): Promise<Json> {
    const repeatable = options.idempotent ?? REPEATABLE.includes(method)
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(method, url, options)
      if ('answer' in outcome) return outcome.answer
      const { error, isPassing, seconds } = outcome
      const pause = Math.max(FIRST_PAUSE * 3 ** (attempt - 1), seconds * 1000)
      // A server that asks for a longer wait says that trying again earlier is useless.
      if (attempt === ATTEMPTS || !repeatable || !isPassing || pause > LONGEST_PAUSE) throw error
      await this.#pause(pause)
    }
  }

  /** Call and read the answer, for instance as an object. Throws like `call`; `PeerUnavailable` for another answer. */
  async read<T>(reader: Reader<T>, method: string, url: string, options: CallOptions = {}): Promise<T> {
    const answer = await this.call(method, url, options)
    try {
      return readAs(reader, answer)
    } catch (cause) {
      if (!isInsituError(cause)) throw cause
      throw unavailable(url, `sent an unexpected answer: ${cause.pointer ?? ''} ${cause.detail}`, cause)
    }
  }

  async #attempt(method: string, url: string, options: CallOptions): Promise<Outcome> {
    options.signal?.throwIfAborted()
    const silent = new AbortController()
    let timer = setTimeout(() => silent.abort(), this.#silence)
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), this.#silence)
    }
    try {
      const signal = options.signal ? AbortSignal.any([silent.signal, options.signal]) : silent.signal
      const response = await this.#fetch(addressOf(url, options.params), { ...initOf(method, options), signal })
      const body = await readBounded(response, url, heard)
      return response.ok ? { answer: parse(body, url) } : refusedBy(response, body, url)
    } catch (cause) {
      options.signal?.throwIfAborted()
      if (isInsituError(cause)) throw cause
      const what = silent.signal.aborted ? 'is silent' : 'does not answer'
      const error = unavailable(url, what, cause)
      return { error, isPassing: true, seconds: 0 }
    } finally {
      clearTimeout(timer)
    }
  }
}

/** An answer, or why there is none and whether that may pass. */
type Outcome =
  | { readonly answer: Json }
  | { readonly error: InsituError; readonly isPassing: boolean; readonly seconds: number }

function addressOf(url: string, params: CallOptions['params'] = {}): string {
  try {
    const address = new URL(url)
    if (!/^https?:$/.test(address.protocol)) throw new TypeError('only http and https')
    for (const [name, value] of Object.entries(params)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) address.searchParams.append(name, String(one))
      }
    }
    return address.href
  } catch (cause) {
    throw new InsituError(errors.InvalidRequest, `${JSON.stringify(url.slice(0, 200))} is no URL of http or https`, {
      cause,
    })
  }
}

function initOf(method: string, { json, body, headers, followRedirects = false }: CallOptions): RequestInit {
  const type = json === undefined ? {} : { 'Content-Type': 'application/json' }
  return {
    method,
    headers: { Accept: 'application/json', ...type, ...headers },
    // A token must not follow a redirect to somebody else.
    redirect: followRedirects ? 'follow' : 'manual',
    credentials: 'omit',
    body: json === undefined ? (body ?? null) : JSON.stringify(json, amountsAsText),
  }
}

function amountsAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** Return the text of an answer, which may not be longer than 32 MiB. */
export async function readBounded(response: Response, url: string, heard: () => void): Promise<string> {
  heard()
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let [received, length] = ['', 0]
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
    heard()
    length += piece.value.length
    if (length > MAX_ANSWER) {
      await reader?.cancel()
      throw unavailable(url, `answers with more than ${MAX_ANSWER} bytes`)
    }
    received += decoder.decode(piece.value, { stream: true })
  }
  return received + decoder.decode()
}

function parse(body: string, url: string): Json {
  if (body === '') return null
  try {
    return readJson(body)
  } catch (cause) {
    throw unavailable(url, 'answered with no JSON', cause)
  }
}

function refusedBy(response: Response, body: string, url: string): Outcome {
  const seconds = Number(/^\d{1,5}$/.exec(response.headers.get('Retry-After') ?? '')?.[0] ?? 0)
  const { status } = response
  return { error: failureOf(status, body, url), isPassing: PASSING.includes(status), seconds }
}

/** Return the server's problem as an error. A proxy in between does not send problem documents. */
export function failureOf(status: number, body: string, url: string): InsituError {
  try {
    const { code, detail, ...facts } = readAs(PROBLEM, readJson(body))
    return new InsituError(code, detail, { kind: kindOf(code, status), ...facts })
  } catch (error) {
    if (!isInsituError(error)) throw error
  }
  if (status === 404) return new InsituError(errors.NotFound, `${hostOf(url)} answered with status 404`)
  const what = status === 0 || (status >= 300 && status < 400) ? 'redirects' : `answered with status ${status}`
  return unavailable(url, what)
}

function kindOf(code: string, status: number): ErrorKind {
  return ['InvalidToken', 'TokenExpired'].includes(code)
    ? 'TokenError'
    : (KINDS[status] ?? (status < 500 ? 'InvalidInput' : 'Failure'))
}

function unavailable(url: string, what: string, cause?: unknown): InsituError {
  return new InsituError(errors.PeerUnavailable, `${hostOf(url)} ${what}`, { cause })
}

export function hostOf(url: string): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? url.slice(0, 200)
}
