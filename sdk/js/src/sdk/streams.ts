import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { failureOf, type HttpOptions, hostOf, readBounded } from './http.js'

/** An answer whose bytes are read as they come. */
export interface Opened {
  readonly status: number
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array> | null
}

/** Opens answers without an end, and long ones. Nothing is repeated, and a server that falls silent is left. */
export class Streams {
  readonly #fetch: typeof globalThis.fetch
  readonly #silence: number

  constructor(options: HttpOptions = {}) {
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
    this.#silence = options.silence ?? 60_000
  }

  /**
   * Open an address.
   *
   * @throws InsituError the server's problem, and `PeerUnavailable` if it does not answer or redirects; the stream ends
   * with `PeerUnavailable` if it breaks off or nothing comes for long
   */
  async open(url: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Opened> {
    const silent = new AbortController()
    const within = async <T>(wait: Promise<T>): Promise<T> => {
      const timer = setTimeout(() => silent.abort(), this.#silence)
      try {
        return await wait
      } catch (cause) {
        signal?.throwIfAborted()
        if (isInsituError(cause)) throw cause
        const what = silent.signal.aborted ? 'is silent' : 'broke off'
        throw new InsituError(errors.PeerUnavailable, `${hostOf(url)} ${what}`, { cause })
      } finally {
        clearTimeout(timer)
      }
    }
    signal?.throwIfAborted()
    const both = signal ? AbortSignal.any([silent.signal, signal]) : silent.signal
    const init: RequestInit = { headers, redirect: 'manual', credentials: 'omit', signal: both }
    const response = await within(this.#fetch(url, init))
    if (!response.ok) throw failureOf(response.status, await within(readBounded(response, url, () => undefined)), url)
    const reader = response.body?.getReader()
    const body = reader && readableOf(() => within(reader.read()), reader)
    return { status: response.status, headers: response.headers, body: body ?? null }
  }
}

/** The clock runs only while somebody waits for bytes: who reads slowly is not a silent server. */
function readableOf(
  read: () => Promise<ReadableStreamReadResult<Uint8Array>>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await read()
        if (piece.done) controller.close()
        else controller.enqueue(piece.value)
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
