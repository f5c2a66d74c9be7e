import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { concat } from './bytes.js'

/** One server-sent event; its id resumes the stream behind it. */
export interface ServerEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** Bytes of the longest line that is read. */
const MAX_LINE = 16 * 1024 * 1024

/**
 * Reads server-sent events from bytes as they arrive (WHATWG HTML); comments are heartbeats.
 *
 * Lines end at line feeds only, because JSON may contain other characters that Unicode counts as line ends.
 */
export class EventParser {
  #pending: Uint8Array[] = []
  #length = 0
  #event = ''
  #data: string[] = []
  #id: string | undefined

  /**
   * Take the next bytes and return the events that they complete.
   *
   * @throws InsituError `PeerUnavailable` if a line does not end within 16 MiB
   */
  feed(chunk: Uint8Array): ServerEvent[] {
    const found: ServerEvent[] = []
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const event = this.#line(concat(...this.#pending, chunk.subarray(start, end)))
      if (event) found.push(event)
      this.#pending = []
      this.#length = 0
      start = end + 1
    }
    const rest = chunk.slice(start)
    this.#pending.push(rest)
    this.#length += rest.length
    if (this.#length > MAX_LINE) throw new InsituError(errors.PeerUnavailable, 'the stream has a line that never ends')
    return found
  }

  #line(bytes: Uint8Array): ServerEvent | undefined {
    const line = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replace(/\r$/, '')
    if (line === '') return this.#dispatch()
    const [, field = '', value = ''] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? []
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return undefined
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id }
    const isEvent = this.#data.length > 0
    this.#event = ''
    this.#data = []
    return isEvent ? event : undefined
  }
}

const LINE_FEED = 10
