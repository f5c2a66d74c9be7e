import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Http } from '../../src/sdk/http.js'
import { Session } from '../../src/sdk/session.js'
import { type PageLocks, type SessionStore, sessionStorageOf, type TextStorage } from '../../src/sdk/session-store.js'
import { localKey } from '../../src/wallets.js'
import { send, serve } from './servers.js'

const KEY = localKey('11'.repeat(32))

/** A gateway that ends a session when one of its refresh tokens comes twice, as ours do. */
async function gateway(context: TestContext, lifetime = 600) {
  const asked: string[] = []
  const valid = new Set<string>()
  const url = await serve(context, (request, response, body) => {
    const form = new URLSearchParams(body)
    const token = form.get('refresh_token')
    asked.push(request.url?.endsWith('/revoke') ? 'revoke' : token ? 'renew' : 'sign')
    if (request.url?.endsWith('/revoke')) return response.writeHead(200).end()
    if (token !== null && !valid.delete(token)) {
      valid.clear()
      return send(response, { code: 'InvalidToken', detail: 'used before' }, 401)
    }
    const next = `r${asked.length}`
    valid.add(next)
    return send(response, { access_token: `a${asked.length}`, refresh_token: next, expires_in: lifetime })
  })
  const page = (sessions: SessionStore) => new Session(new Http(), url, KEY, sessions)
  return { url, asked, page }
}

/** Storage of one tab; a duplicated tab begins with a copy. */
class Tab implements TextStorage {
  readonly values: Map<string, string>
  constructor(copied: Iterable<readonly [string, string]> = []) {
    this.values = new Map(copied)
  }
  getItem = (key: string) => this.values.get(key) ?? null
  setItem = (key: string, value: string) => void this.values.set(key, value)
  removeItem = (key: string) => void this.values.delete(key)
}

/** The locks of a browser, and of each page a way to leave it. */
class Locks {
  readonly held = new Map<string, () => void>()
  readonly waiting: { name: string; grant: () => void }[] = []
  page(): PageLocks & { leave(): void } {
    const mine: string[] = []
    const request = async (name: string, { signal }: LockOptions, work: LockGrantedCallback<unknown>) => {
      if (this.held.has(name)) {
        await new Promise<void>((grant, refuse) => {
          this.waiting.push({ name, grant })
          signal?.addEventListener('abort', () => refuse(signal.reason))
        })
      }
      mine.push(name)
      const gone = new Promise<void>(resolve => this.held.set(name, resolve))
      await Promise.race([work({ name, mode: 'exclusive' }), gone])
      this.held.delete(name)
      const next = this.waiting.findIndex(one => one.name === name)
      if (next >= 0) this.waiting.splice(next, 1)[0]?.grant()
    }
    const leave = () => {
      for (const name of mine) this.held.get(name)?.()
    }
    return { request: request as PageLocks['request'], leave }
  }
}

test('a page that is loaded again goes on with the session, and the wallet is not asked', async context => {
  const { asked, page } = await gateway(context)
  const [tab, locks] = [new Tab(), new Locks()]
  const first = locks.page()
  const { Authorization } = await page(sessionStorageOf(tab, first)).headers()
  first.leave()
  assert.equal((await page(sessionStorageOf(tab, locks.page())).headers()).Authorization, Authorization)
  assert.deepEqual(asked, ['sign'])
})

test('a token that is old or refused after a reload is renewed, and the next page has the new one', async context => {
  const { asked, page } = await gateway(context, 0)
  const [tab, locks] = [new Tab(), new Locks()]
  for (let load = 0; load < 3; load += 1) {
    const here = locks.page()
    await page(sessionStorageOf(tab, here)).headers()
    here.leave()
  }
  assert.deepEqual(asked, ['sign', 'renew', 'renew'])
})

test('a duplicated tab signs in for itself, and neither tab loses its session', { timeout: 20_000 }, async context => {
  const { asked, page } = await gateway(context, 0)
  const [tab, locks] = [new Tab(), new Locks()]
  const original = page(sessionStorageOf(tab, locks.page()))
  await original.headers()
  const copy = new Tab(tab.values)
  const duplicate = page(sessionStorageOf(copy, locks.page()))
  await duplicate.headers()
  await original.headers()
  await duplicate.headers()
  assert.deepEqual(asked, ['sign', 'sign', 'renew', 'renew'])
  assert.notDeepEqual([...copy.values], [...tab.values])
})

test('two clients of a page share the session, so neither uses a token that the other one used', async context => {
  const { asked, page } = await gateway(context, 0)
  const sessions = sessionStorageOf(new Tab(), new Locks().page())
  const [one, other] = [page(sessions), page(sessions)]
  await Promise.all([one.headers(), other.headers()])
  assert.deepEqual(asked, ['sign', 'renew'])
})

test('signing out forgets the session, also one that was only kept', async context => {
  const { asked, page } = await gateway(context)
  const [tab, locks] = [new Tab(), new Locks()]
  const first = locks.page()
  await page(sessionStorageOf(tab, first)).headers()
  first.leave()
  await page(sessionStorageOf(tab, locks.page())).signOut()
  assert.deepEqual([asked, tab.values.size], [['sign', 'revoke'], 0])
})

test('without locks nothing is kept, because a duplicated tab could not be told apart', async context => {
  const { asked, page } = await gateway(context)
  const tab = new Tab()
  await page(sessionStorageOf(tab, undefined)).headers()
  await page(sessionStorageOf(tab, undefined)).headers()
  assert.deepEqual([asked, tab.values.size], [['sign', 'sign'], 0])
})

test('a store that fails, or returns nonsense, costs a prompt and nothing else', async context => {
  const { asked, page } = await gateway(context)
  const failing = () => {
    throw new Error('the storage is full')
  }
  await page({ load: failing, save: failing, clear: failing }).headers()
  await page({ load: () => '{"token": 1}', save: failing, clear: failing }).headers()
  await page({ load: async () => 'no JSON', save: failing, clear: failing }).headers()
  assert.deepEqual(asked, ['sign', 'sign', 'sign'])
})

test('who goes away during a renewal does not lose the session', async context => {
  const { asked, page } = await gateway(context, 0)
  const session = page(sessionStorageOf(new Tab(), new Locks().page()))
  await session.headers()
  const controller = new AbortController()
  const renewing = session.headers({ signal: controller.signal })
  setImmediate(() => controller.abort(new Error('went away')))
  await renewing.catch(() => undefined)
  await session.headers()
  assert.deepEqual(asked, ['sign', 'renew', 'renew'])
})
