/**
 * Keeps sessions, so that a page that is loaded again does not ask the wallet again. What is kept is a secret, and good for
 * one page at a time: a gateway ends a session whose refresh token is used a second time.
 *
 * A store that fails costs a prompt, and nothing else.
 */
export interface SessionStore {
  /** Return what was saved under a name, if this page may use it. */
  load(name: string, signal?: AbortSignal): string | undefined | Promise<string | undefined>
  /** Keep a session in place of the one before it. */
  save(name: string, session: string): void | Promise<void>
  /** Forget it: it is over. */
  clear(name: string): void | Promise<void>
}

/** What a store needs of `sessionStorage`. */
export type TextStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** What a store needs of `navigator.locks`. */
export type PageLocks = Pick<LockManager, 'request'>

/** Milliseconds for which the page before may still hold its lock. */
const HANDOVER = 1000

/**
 * Return a store in a tab's `sessionStorage`. A tab that was duplicated has a copy of it, so a page holds a lock for each
 * session that it uses (Web Locks) and forgets one that another page holds. Where a browser has no locks, as on pages
 * without HTTPS, nothing is kept.
 *
 * Make one for each page, and give it to every client.
 *
 * @param storage - the page's `sessionStorage`
 * @param locks - by default those of the browser
 */
export function sessionStorageOf(
  storage: TextStorage,
  locks: PageLocks | undefined = globalThis.navigator?.locks,
): SessionStore {
  const held = new Map<string, { readonly id: string; readonly release: () => void }>()
  const key = (name: string) => `insitu session ${name}`
  const hold = async (name: string, id: string, signal: AbortSignal) => {
    await new Promise<void>((resolve, reject) => {
      const holding = () =>
        new Promise<void>(release => {
          held.set(name, { id, release })
          resolve()
        })
      locks?.request(`insitu session ${id}`, { signal }, holding).catch(reject)
    })
  }
  const forget = (name: string) => {
    storage.removeItem(key(name))
    held.get(name)?.release()
    held.delete(name)
  }
  return Object.freeze({
    async load(name: string, signal?: AbortSignal) {
      const [id, ...rest] = (storage.getItem(key(name)) ?? '').split(' ')
      if (!id || locks === undefined) return undefined
      const soon = AbortSignal.timeout(HANDOVER)
      try {
        if (held.get(name)?.id !== id) await hold(name, id, signal ? AbortSignal.any([soon, signal]) : soon)
      } catch {
        signal?.throwIfAborted()
        forget(name) // It is a copy of what another tab uses.
        return undefined
      }
      return rest.join(' ')
    },
    async save(name: string, session: string) {
      if (locks === undefined) return
      const { id } = held.get(name) ?? { id: crypto.randomUUID() }
      if (!held.has(name)) await hold(name, id, AbortSignal.timeout(HANDOVER))
      storage.setItem(key(name), `${id} ${session}`)
    },
    async clear(name: string) {
      forget(name)
    },
  })
}
