import * as errors from '../api/errors.gen.js'
import { anyObject, type Reader } from '../domain/shape.js'
import { InsituError, isInsituError } from '../errors.js'
import { type CallControl, onlySignal } from './account.js'
import type { CallOptions, Http } from './http.js'
import type { Session } from './session.js'
import type { StreamSharing } from './shared-streams.js'
import type { Opened, Streams } from './streams.js'

const BASE = '/api/v1/gateway/services'
const ENDPOINTS = ['/exec', '/execute', '/compute/exec']

/**
 * Return a gateway's address from the serviceEndpoint of a document, which decides where to sign in (C8).
 *
 * @throws InsituError `InvalidDocument`
 */
export function gatewayUrl(endpoint: string): string {
  for (const path of ENDPOINTS) {
    if (endpoint.endsWith(BASE + path)) return endpoint.slice(0, -(BASE + path).length)
  }
  const shown = JSON.stringify(endpoint.slice(0, 200))
  throw new InsituError(errors.InvalidDocument, `${shown} is not an endpoint of a compute service`)
}

/** A call of a gateway with a token. */
export interface Authorised extends CallControl {
  readonly params?: CallOptions['params']
  readonly json?: unknown
  readonly body?: BodyInit
  readonly headers?: Readonly<Record<string, string>>
  readonly idempotent?: boolean
}

/** Calls one gateway for one account. */
export class GatewayClient {
  readonly url: string
  readonly session: Session
  readonly sharing: StreamSharing | undefined
  readonly #http: Http
  readonly #streams: Streams

  constructor(http: Http, streams: Streams, url: string, session: Session, sharing?: StreamSharing) {
    this.url = url
    this.session = session
    this.sharing = sharing
    this.#http = http
    this.#streams = streams
  }

  /** Call without a token. Throws like `Http.read`. */
  async open<T>(reader: Reader<T>, path: string, json: unknown, signal?: AbortSignal): Promise<T> {
    return this.#http.read(reader, 'POST', this.#address(path), { json, idempotent: true, signal })
  }

  /**
   * Call with a token. One that the gateway no longer accepts is replaced once.
   *
   * @param path - below the API's base, or a whole address
   * @throws InsituError like `Http.read` and `Session.headers`
   */
  async call<T>(reader: Reader<T>, method: string, path: string, options: Authorised = {}): Promise<T> {
    const { onProgress: _, signal, headers = {}, ...rest } = options
    return this.#authorised(options, token =>
      this.#http.read(reader, method, this.#address(path), { ...rest, signal, headers: { ...headers, ...token } }),
    )
  }

  /** Call with a token, and return the answer as the wire type that the OpenAPI document has for it. */
  async view<T>(method: string, path: string, options: Authorised = {}): Promise<T> {
    return (await this.call(anyObject, method, path, options)) as unknown as T
  }

  /** Open a file with a token. */
  async file(path: string, control: CallControl = {}): Promise<Opened> {
    return this.#authorised(control, token => this.#streams.open(this.#address(path), token, control.signal))
  }

  /** Open a stream of events behind one of them; null if there is nothing more. `follow` asks for fresh tokens. */
  async events(
    path: string,
    lastEventId: string | undefined,
    stale: string | undefined,
    control: CallControl,
  ): Promise<{ readonly body: ReadableStream<Uint8Array> | null; readonly token: string }> {
    const token = await this.session.headers(control, stale)
    const last: Record<string, string> = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
    const headers = { ...token, ...last, Accept: 'text/event-stream' }
    const opened = await this.#streams.open(this.#address(path), headers, control.signal)
    return { body: opened.status === 204 ? null : opened.body, token: token.Authorization }
  }

  async #authorised<T>(
    control: CallControl,
    call: (headers: { readonly Authorization: string }) => Promise<T>,
  ): Promise<T> {
    const held = await this.session.headers({ ...onlySignal(control), onProgress: control.onProgress })
    try {
      return await call(held)
    } catch (error) {
      if (!isInsituError(error) || error.kind !== 'TokenError') throw error
    }
    return call(await this.session.headers(control, held.Authorization))
  }

  #address(path: string): string {
    return path.startsWith('/') ? `${this.url}${BASE}${path}` : path
  }
}
