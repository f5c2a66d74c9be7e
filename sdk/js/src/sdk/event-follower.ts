import * as errors from '../api/errors.gen.js'
import { EventParser, type ServerEvent } from '../domain/event-stream.js'
import { InsituError, isInsituError } from '../errors.js'

/**
 * Opens a stream behind an event.
 *
 * @param lastEventId - resume after this event; undefined begins at the start
 * @param freshToken - the token of the call before has expired
 * @returns the bytes as they arrive, or null if there is nothing more
 */
export type Connect = (
  lastEventId: string | undefined,
  freshToken: boolean,
) => Promise<ReadableStream<Uint8Array> | null>

/** How a stream is followed. */
export interface FollowOptions {
  /** Resume after this event. */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Waits before another connection; milliseconds. Tests replace it. */
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined
}

/** Connections in a row that may bring nothing before the server counts as gone; about half a minute. */
const SILENT_ATTEMPTS = 8
const FIRST_PAUSE = 800
const LONGEST_PAUSE = 5000
/** Milliseconds that a connection must stay open to count as working. */
const ALIVE = 10_000

/**
 * Yield events until the server says `end`, resuming after a broken connection or an expired token. Leaving the loop
 * closes the connection.
 *
 * @throws InsituError what the server refuses with, and `PeerUnavailable` if it stays away; an aborted signal's reason
 */
export async function* follow(
  connect: Connect,
  options: FollowOptions = {},
): AsyncGenerator<ServerEvent, void, undefined> {
  const { signal, pause = sleep } = options
  let lastId = options.after
  let freshToken = false
  let fruitless = 0
  while (true) {
    signal?.throwIfAborted()
    const began = performance.now()
    try {
      const body = await connect(lastId, freshToken)
      freshToken = false
      if (body === null) return
      for await (const event of eventsOf(body, signal)) {
        fruitless = 0
        if (event.event === 'error') throw errorOf(event.data)
        if (event.event === 'token-expired') {
          freshToken = true
          break
        }
        lastId = event.id ?? lastId
        yield event
        if (event.event === 'end') return
      }
    } catch (error) {
      signal?.throwIfAborted()
      freshToken = helpsFreshToken(error, freshToken)
    }
    fruitless = performance.now() - began > ALIVE ? 0 : fruitless + 1
    if (fruitless > SILENT_ATTEMPTS) {
      throw new InsituError(errors.PeerUnavailable, 'the server does not answer, or keeps ending the stream')
    }
    // A second connection follows at once; later ones wait longer each time.
    if (fruitless > 1) await pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (fruitless - 2)))
  }
}

/** Not every browser can iterate a stream, so this reads it. */
async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<ServerEvent, void, undefined> {
  const parser = new EventParser()
  const reader = body.getReader()
  const cancel = () => void reader.cancel(signal?.reason).catch(() => undefined)
  signal?.addEventListener('abort', cancel)
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield* parser.feed(piece.value)
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', cancel)
    cancel()
  }
}

/** Return whether a fresh token helps. Throws an error that another connection cannot help. */
function helpsFreshToken(error: unknown, tried: boolean): boolean {
  const isRefused = isInsituError(error) && error.kind === 'TokenError'
  if (isRefused && !tried) return true
  if (isInsituError(error) && (isRefused || !error.retry)) throw error
  return false // a broken connection
}

/** Return the error that a server reports in the middle of a stream. */
function errorOf(data: string): InsituError {
  try {
    const { code, detail = '', nextStep, retry } = JSON.parse(data)
    if (typeof code === 'string') return new InsituError(code, String(detail), { nextStep, retry })
  } catch {
    // The sentence below says what can be said.
  }
  return new InsituError(errors.PeerUnavailable, 'the stream ended with an error')
}

async function sleep(milliseconds: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, milliseconds))
}
