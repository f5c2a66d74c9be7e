import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ServerEvent } from '../../src/domain/event-stream.js'
import { type FollowAlone, sharedByTabs } from '../../src/sdk/shared-streams.js'

type Held = { readonly name: string; readonly give: () => void }

/** The locks of a browser, as far as streams use them (Web Locks). */
class Locks {
  readonly held = new Set<string>()
  readonly pending: Held[] = []
  request = async (name: string, { signal, ifAvailable }: LockOptions, work: LockGrantedCallback<unknown>) => {
    signal?.throwIfAborted()
    if (this.held.has(name) && ifAvailable) return work(null)
    if (this.held.has(name)) await this.#wait(name, signal)
    this.held.add(name)
    try {
      return await work({ name, mode: 'exclusive' })
    } finally {
      const next = this.pending.findIndex(one => one.name === name)
      if (next < 0) this.held.delete(name)
      else this.pending.splice(next, 1)[0]?.give()
    }
  }
  query = async () => ({ pending: this.pending, held: [] })
  #wait(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((give, refuse) => {
      const mine = { name, give }
      this.pending.push(mine)
      signal?.addEventListener('abort', () => {
        const at = this.pending.indexOf(mine)
        if (at < 0) return
        this.pending.splice(at, 1)
        refuse(signal.reason)
      })
    })
  }
}

/** A server with one stream per name, and every connection that was opened to it. */
class Server {
  readonly url = `http://${crypto.randomUUID()}.test`
  readonly connections: { readonly name: string; readonly after: string | undefined; isOpen: boolean }[] = []
  readonly events: ServerEvent[] = []
  /** The largest number of connections at the same time. */
  most = 0
  #failure: Error | undefined
  #wake = new Set<() => void>()

  get open(): number {
    return this.connections.filter(one => one.isOpen).length
  }
  send(data: string, event = 'log'): void {
    this.events.push({ event, data, id: String(this.events.length + 1) })
    this.#tell()
  }
  fail(failure: Error): void {
    this.#failure = failure
    this.#tell()
  }
  #tell(): void {
    for (const wake of this.#wake) wake()
  }
  alone(name: string): FollowAlone {
    const server = this
    return async function* (after, signal) {
      const connection = { name, after, isOpen: true }
      server.connections.push(connection)
      server.most = Math.max(server.most, server.open)
      try {
        for (let at = Number(after ?? 0); ; at += 1) {
          while (at >= server.events.length && !signal.aborted) {
            if (server.#failure) throw server.#failure
            await new Promise<void>(wake => {
              server.#wake.add(wake)
              signal.addEventListener('abort', () => wake())
            })
          }
          signal.throwIfAborted()
          yield server.events[at] as ServerEvent
        }
      } finally {
        connection.isOpen = false
      }
    }
  }
}

/** What one page has heard. */
class Reader {
  readonly texts: string[] = []
  readonly leave = new AbortController()
  failure: unknown
  readonly over: Promise<void>

  constructor(server: Server, name = 'all') {
    const stream = { server: server.url, name, after: undefined, alone: server.alone(name) }
    this.over = this.#read(sharedByTabs()?.follow(stream, this.leave.signal))
  }
  async #read(events: AsyncGenerator<ServerEvent> | undefined): Promise<void> {
    assert.ok(events)
    try {
      for await (const { data } of events) this.texts.push(data.slice(0, 9))
    } catch (error) {
      this.failure = error
    }
  }
  async has(...texts: string[]): Promise<void> {
    await until(() => this.texts.length >= texts.length)
    assert.deepEqual(this.texts, texts)
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setImmediate(resolve))
}

/** Give this test what a browser has. */
function browser(context: TestContext): Server {
  const set = (name: string, value: unknown) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    context.after(() => {
      if (before) Object.defineProperty(globalThis, name, before)
      else Reflect.deleteProperty(globalThis, name)
    })
  }
  set('navigator', { locks: new Locks() })
  set('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
  return new Server()
}

const LIMIT = { timeout: 20_000 }

test('without locks nothing is shared', () => {
  assert.equal(sharedByTabs(), undefined)
})

test('pages have one connection, and each hears every event once', LIMIT, async context => {
  const server = browser(context)
  server.send('one')
  const first = new Reader(server)
  await first.has('one')
  const others = [new Reader(server), new Reader(server)]
  for (const other of others) await other.has('one')
  server.send('two')
  server.send('over', 'end')
  for (const reader of [first, ...others]) {
    await reader.over
    assert.deepEqual([reader.texts, reader.failure], [['one', 'two', 'over'], undefined])
  }
  assert.equal(server.most, 1)
})

test('another page goes on behind the last event when the one with the connection leaves', LIMIT, async context => {
  const server = browser(context)
  server.send('one')
  const [first, second] = [new Reader(server), new Reader(server)]
  await second.has('one')
  const reason = new Error('left')
  first.leave.abort(reason)
  await first.over
  assert.equal(first.failure, reason)
  server.send('two')
  await second.has('one', 'two')
  assert.deepEqual(
    server.connections.map(({ after, isOpen }) => [after, isOpen]),
    [
      [undefined, false],
      ['1', true],
    ],
  )
  second.leave.abort()
  await second.over
})

test('who misses what nobody kept reads it alone, and then listens again', LIMIT, async context => {
  const server = browser(context)
  const first = new Reader(server)
  const large = 'x'.repeat(3_000_000)
  server.send(`one ${large}`)
  server.send(`two ${large}`)
  await first.has('one xxxxx', 'two xxxxx')
  const late = new Reader(server)
  await late.has('one xxxxx', 'two xxxxx')
  await until(() => server.open === 1)
  server.send('three')
  await late.has('one xxxxx', 'two xxxxx', 'three')
  assert.equal(server.connections.length, 2)
  for (const reader of [first, late]) reader.leave.abort()
  await Promise.all([first.over, late.over])
})

test('a failure reaches every page', LIMIT, async context => {
  const server = browser(context)
  server.send('one')
  const readers = [new Reader(server), new Reader(server)]
  for (const reader of readers) await reader.has('one')
  const failure = new Error('the gateway stays away')
  server.fail(failure)
  for (const reader of readers) {
    await reader.over
    assert.equal(reader.failure, failure)
  }
  assert.equal(server.open, 0)
})

test('a page that is hidden has no connection, and misses nothing once it is seen', LIMIT, async context => {
  const server = browser(context)
  const reader = new Reader(server)
  const show = (visibilityState: string) => {
    Object.assign(document, { visibilityState })
    document.dispatchEvent(new Event('visibilitychange'))
  }
  await until(() => server.open === 1)
  show('hidden')
  await until(() => server.open === 0)
  server.send('one')
  show('visible')
  await reader.has('one')
  reader.leave.abort()
  await reader.over
})

test('a fourth stream of a server gets its turn', LIMIT, async context => {
  const server = browser(context)
  context.mock.timers.enable({ apis: ['setInterval'] })
  const readers = ['a', 'b', 'c', 'd'].map(name => new Reader(server, name))
  await until(() => server.open === 3 && (navigator.locks as unknown as Locks).pending.length > 0)
  assert.deepEqual(new Set(server.connections.map(({ name }) => name)), new Set(['a', 'b', 'c']))
  context.mock.timers.tick(2000)
  await until(() => server.connections.some(({ name }) => name === 'd'))
  assert.equal(server.open, 3)
  server.send('one')
  while (readers.some(reader => reader.texts.length === 0)) {
    context.mock.timers.tick(2000)
    await new Promise(resolve => setImmediate(resolve))
  }
  for (const reader of readers) assert.deepEqual(reader.texts, ['one'])
  for (const reader of readers) reader.leave.abort()
  await Promise.all(readers.map(reader => reader.over))
})
