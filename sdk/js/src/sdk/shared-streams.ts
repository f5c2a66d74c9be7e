import type { ServerEvent } from '../domain/event-stream.js'

/** Follows a stream behind one of its events, by a connection of its own. */
export type FollowAlone = (
  after: string | undefined,
  signal: AbortSignal,
) => AsyncGenerator<ServerEvent, void, undefined>

/** A stream of a server that several pages may want. */
export interface SharedStream {
  readonly server: string
  /** What the stream is, and for whom. */
  readonly name: string
  readonly after: string | undefined
  readonly alone: FollowAlone
}

/** Follows streams together with the other pages of this browser; see `sharedByTabs`. */
export interface StreamSharing {
  follow(stream: SharedStream, signal?: AbortSignal): AsyncGenerator<ServerEvent, void, undefined>
}

/** An event, and the id of the one before it: whoever stands there takes it, and everybody else lets it pass. */
interface Step {
  readonly previous: string | undefined
  readonly event: ServerEvent
}

type Message =
  | { readonly kind: 'steps'; readonly to?: string; readonly steps: readonly Step[] }
  | { readonly kind: 'asks'; readonly from: string; readonly at: string | undefined }
  | { readonly kind: 'unknown'; readonly to: string; readonly leader: string | undefined }

/** Connections to one server: browsers open six, and pages need some for everything else. */
const CONNECTIONS = 3
/** Milliseconds after which a stream makes room for one that waits. */
const TURN = 2000
/** Milliseconds between two questions of a page that has missed something. */
const PATIENCE = 1000
/** Characters that a leader keeps for those who come later. */
const KEPT = 4_000_000

/**
 * Return a way to share streams among the tabs of an origin: one tab has the connection to a stream and the others hear from it
 * (Web Locks, BroadcastChannel). When it closes or is hidden, another one goes on behind the last event. A hidden page opens
 * no connection, and goes on when it is seen again. Different streams of one server take turns if there are more than three.
 *
 * Undefined where a browser has no locks, as on pages without HTTPS.
 */
export function sharedByTabs(): StreamSharing | undefined {
  const locks = globalThis.navigator?.locks
  if (locks === undefined || globalThis.BroadcastChannel === undefined) return undefined
  return Object.freeze({
    follow: (stream: SharedStream, signal?: AbortSignal) => new Follower(stream, locks, signal).events(),
  })
}

class Follower {
  readonly #stream: SharedStream
  readonly #locks: LockManager
  readonly #signal: AbortSignal | undefined
  readonly #channel: BroadcastChannel
  readonly #me = crypto.randomUUID()
  readonly #over = new AbortController()
  /** Set while this page is seen. */
  #seen: AbortController | undefined
  #catchingUp: AbortController | undefined
  #isLeading = false
  #kept: Step[] = []
  #size = 0
  #begin: ServerEvent | undefined
  #last: string | undefined
  #asked = Number.NEGATIVE_INFINITY
  readonly #queue: ServerEvent[] = []
  #isEnded = false
  #failure: { readonly error: unknown } | undefined
  #wake = () => {}

  constructor(stream: SharedStream, locks: LockManager, signal: AbortSignal | undefined) {
    this.#stream = stream
    this.#locks = locks
    this.#signal = signal
    this.#last = stream.after
    this.#channel = new BroadcastChannel(this.#lock)
  }

  get #lock(): string {
    return `insitu stream ${this.#stream.server} ${this.#stream.name}`
  }

  async *events(): AsyncGenerator<ServerEvent, void, undefined> {
    const { document } = globalThis
    const look = () => this.#look(document === undefined || document.visibilityState === 'visible')
    const stop = () => this.#wake()
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data)
    this.#signal?.addEventListener('abort', stop)
    document?.addEventListener('visibilitychange', look)
    try {
      look()
      while (true) {
        for (let event = this.#queue.shift(); event; event = this.#queue.shift()) yield event
        if (this.#isEnded) return
        if (this.#failure) throw this.#failure.error
        this.#signal?.throwIfAborted()
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#over.abort()
      this.#channel.close()
      this.#signal?.removeEventListener('abort', stop)
      document?.removeEventListener('visibilitychange', look)
    }
  }

  /** A page that is seen may lead, and asks whoever leads for what it has missed. */
  #look(isSeen: boolean): void {
    if (!isSeen) this.#seen?.abort()
    if (!isSeen || this.#seen?.signal.aborted === false) return
    this.#seen = new AbortController()
    this.#asked = Number.NEGATIVE_INFINITY
    this.#ask()
    void this.#lead(AbortSignal.any([this.#seen.signal, this.#over.signal]))
  }

  async #lead(stop: AbortSignal): Promise<void> {
    try {
      await this.#locks.request(this.#lock, { signal: stop }, async () => {
        this.#catchingUp?.abort()
        this.#isLeading = true
        while (!stop.aborted && !this.#isEnded) await this.#connected(stop, turn => this.#pass(turn))
      })
    } catch (error) {
      if (!stop.aborted) this.#fail(error)
    } finally {
      this.#isLeading = false
      this.#kept = []
      this.#size = 0
      this.#begin = undefined
    }
  }

  /** Take what the server sends, and pass it on. */
  async #pass(turn: AbortSignal): Promise<void> {
    for await (const event of this.#stream.alone(this.#last, turn)) {
      const step = { previous: this.#last, event }
      if (event.event === 'begin') this.#begin = event
      this.#take(event)
      this.#keep(step)
      this.#tell({ kind: 'steps', steps: [step] })
    }
    this.#isEnded = true
    this.#wake()
  }

  #keep(step: Step): void {
    this.#kept.push(step)
    this.#size += step.event.data.length
    while (this.#size > KEPT) this.#size -= this.#kept.shift()?.event.data.length ?? this.#size
  }

  #take(event: ServerEvent): void {
    this.#last = event.id ?? this.#last
    this.#queue.push(event)
    if (event.event === 'end') this.#isEnded = true
    this.#wake()
  }

  #hear(message: Message): void {
    if (message.kind === 'asks') {
      if (this.#isLeading) this.#answer(message.from, message.at)
    } else if (this.#isLeading || (message.to !== undefined && message.to !== this.#me)) return
    else if (message.kind === 'unknown') void this.#catchUp(message.leader)
    else for (const step of message.steps) this.#step(step)
  }

  #step({ previous, event }: Step): void {
    if (this.#isEnded) return
    if (previous === this.#last) {
      this.#catchingUp?.abort()
      this.#take(event)
    } else if (event.id !== this.#last) this.#ask()
  }

  #ask(): void {
    if (performance.now() - this.#asked < PATIENCE) return
    this.#asked = performance.now()
    this.#tell({ kind: 'asks', from: this.#me, at: this.#last })
  }

  /** Send somebody what they have not seen yet. A stream of what happens from now on begins now for them too. */
  #answer(to: string, at: string | undefined): void {
    if (at === this.#last) return
    const now = at === undefined && this.#begin ? { ...this.#begin, id: this.#last } : undefined
    const first = this.#kept.findIndex(step => step.previous === at)
    if (now) this.#tell({ kind: 'steps', to, steps: [{ previous: at, event: now }] })
    else if (first >= 0) this.#tell({ kind: 'steps', to, steps: this.#kept.slice(first) })
    else this.#tell({ kind: 'unknown', to, leader: this.#last })
  }

  /** Read alone up to where the leader stands, which no longer has what is missing here. */
  async #catchUp(leader: string | undefined): Promise<void> {
    if (this.#catchingUp?.signal.aborted === false || this.#seen?.signal.aborted !== false) return
    const mine = new AbortController()
    this.#catchingUp = mine
    const stop = AbortSignal.any([mine.signal, this.#seen.signal, this.#over.signal])
    try {
      await this.#connected(stop, async turn => {
        for await (const event of this.#stream.alone(this.#last, turn)) {
          if (turn.aborted) return
          this.#take(event)
          if (this.#last === leader) return
        }
      })
    } catch (error) {
      this.#fail(error)
    } finally {
      mine.abort()
    }
    this.#asked = Number.NEGATIVE_INFINITY
    if (!this.#over.signal.aborted) this.#ask()
  }

  /** Use one of the connections to the server, until somebody else waits for it. */
  async #connected(stop: AbortSignal, use: (turn: AbortSignal) => Promise<void>): Promise<void> {
    const names = Array.from({ length: CONNECTIONS }, (_, at) => `insitu connection ${this.#stream.server} ${at}`)
    for (const name of names) {
      const isMine = await this.#locks.request(name, { ifAvailable: true }, async lock => {
        if (lock) await this.#inTurn(name, stop, use)
        return lock !== null
      })
      if (isMine) return
    }
    const name = names[Math.floor(Math.random() * names.length)] ?? ''
    await this.#locks.request(name, { signal: stop }, () => this.#inTurn(name, stop, use))
  }

  async #inTurn(name: string, stop: AbortSignal, use: (turn: AbortSignal) => Promise<void>): Promise<void> {
    const ended = new AbortController()
    const turn = AbortSignal.any([stop, ended.signal])
    const makeRoom = async () => {
      const { pending = [] } = await this.#locks.query()
      if (pending.some(lock => lock.name === name)) ended.abort()
    }
    const timer = setInterval(() => void makeRoom(), TURN)
    try {
      await use(turn)
    } catch (error) {
      if (!turn.aborted) throw error
    } finally {
      clearInterval(timer)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  #tell(message: Message): void {
    if (!this.#over.signal.aborted) this.#channel.postMessage(message)
  }
}
