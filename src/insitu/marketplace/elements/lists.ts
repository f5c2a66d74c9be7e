/** Lists that several gateways have together, newest first. */
import type { AccountClient, EventView } from 'insitu'
import { isInsituError } from 'insitu/domain'
import { resume, type SignedIn, signIn } from './account.js'
import { type Child, h } from './dom.js'
import { followAll } from './following.js'
import { b, p, span } from './parts.js'
import { gateways, PersonalElement, pause } from './personal.js'
import { problemOf } from './problem.js'
import { plain } from './words.js'

/** Milliseconds after which a gateway that did not answer is asked again. */
const AGAIN = 3000

/** Where a gateway stands in a list of several. */
export interface Source {
  readonly gateway: string
  /** `waits` for the person to sign in there; `failed` is not asked again by itself. */
  readonly state: 'asking' | 'there' | 'away' | 'waits' | 'failed'
  readonly error?: unknown
}

/** A list as far as it is known. */
export interface Listed<Item> {
  /** Newest first; undefined until a gateway has answered. */
  readonly items: readonly Item[] | undefined
  readonly hasMore: boolean
  /** Those that have not answered, or no longer do. */
  readonly missing: readonly Source[]
}

/** A page of a list at one gateway. With `before` there are more. */
export interface ListPage<Item> {
  readonly items: readonly Item[]
  readonly before: string | undefined
}

interface Part<Item> {
  readonly gateway: string
  readonly me?: SignedIn
  readonly source: Source
  readonly items?: ReadonlyMap<string, Item>
  readonly before?: string | undefined
  /** Behind this moment the gateway may have more; in milliseconds since 1970. */
  readonly until: number
}

/**
 * An element with a list that each gateway has a part of. The first gateway signs in as the page opens, every other one where
 * the tab has a session of it, or when the person asks. One that is away has a line, and is asked again.
 */
export abstract class ListElement<Item> extends PersonalElement {
  #parts = new Map<string, Part<Item>>()

  /** Read a page at the client's gateway. */
  protected abstract read(
    client: AccountClient,
    before: string | undefined,
    signal: AbortSignal,
  ): Promise<ListPage<Item>>

  /** Return what an event of the gateway's stream changed. */
  protected abstract changed(client: AccountClient, event: EventView, signal: AbortSignal): Promise<readonly Item[]>

  /** Return a name that is the item's own at all gateways, and when it began, in milliseconds since 1970. */
  protected abstract keyOf(item: Item): readonly [name: string, at: number]

  /** Show what is known now. */
  protected abstract show(listed: Listed<Item>): void

  /** Called once a gateway has answered, each time. */
  protected joined(_me: SignedIn, _signal: AbortSignal): Promise<void> | void {}

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#parts = new Map(gateways().map(gateway => [trimmed(gateway), partOf<Item>(trimmed(gateway))]))
    this.refresh()
    let isOpen = false
    const others = () => {
      if (isOpen) return
      isOpen = true
      for (const gateway of this.#parts.keys()) if (gateway !== me.gateway) void this.#join(gateway, resume, signal)
    }
    await this.#follow(me, signal, others)
  }

  /** The gateways that have answered. */
  protected get signedIn(): readonly SignedIn[] {
    return [...this.#parts.values()].flatMap(({ me, items }) => (me && items ? [me] : []))
  }

  protected get isShown(): boolean {
    return this.signedIn.length > 0
  }

  /** The gateway whose part of the list has an item. */
  protected gatewayOf(name: string): string | undefined {
    return [...this.#parts.values()].find(({ items }) => items?.has(name))?.gateway
  }

  /** Show the present state again. */
  protected refresh(): void {
    const parts = [...this.#parts.values()]
    const known = parts.filter(({ items }) => items !== undefined)
    // Older ones of this gateway may belong between those that others have already listed.
    const horizon = Math.max(-Infinity, ...known.map(({ until }) => until))
    const every = known.flatMap(({ items }) => [...(items?.values() ?? [])])
    const found = new Map(every.map(item => [this.keyOf(item)[0], item]))
    const items = [...found.values()].filter(item => this.keyOf(item)[1] >= horizon)
    this.show({
      items: known.length > 0 ? items.sort((one, other) => after(this.keyOf(one)[1], this.keyOf(other)[1])) : undefined,
      hasMore: parts.some(({ before }) => before !== undefined),
      missing: parts.flatMap(({ source }) => (source.state === 'there' ? [] : [source])),
    })
  }

  /** Put items that were read in another way. */
  protected put(gateway: string, items: readonly Item[]): void {
    const known = this.#parts.get(gateway)?.items
    const every = new Map([...(known ?? []), ...items.map(item => [this.keyOf(item)[0], item] as const)])
    this.#set(gateway, { items: every })
  }

  /** Read on where older ones are missing. */
  protected async more(signal: AbortSignal): Promise<void> {
    const parts = [...this.#parts.values()]
    const horizon = Math.max(...parts.map(({ until }) => until))
    const behind = parts.filter(({ until, before }) => until === horizon && before !== undefined)
    await Promise.all(behind.map(({ me, before }) => me && this.#load(me, before, signal)))
  }

  protected async act(act: string, control: Element, _me: SignedIn, signal: AbortSignal): Promise<void> {
    if (act === 'more') await this.more(signal)
    else if (act === 'join') void this.#join(control.getAttribute('data-gateway') ?? '', signIn, signal)
  }

  /** Ask another gateway until it answers. Only `signIn` may ask the wallet. */
  async #join(gateway: string, open: typeof resume, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const me = await open(gateway, { signal })
        if (me === undefined || (open === resume && !(await me.client.session().isKept(signal))))
          return this.#set(gateway, { source: { gateway, state: 'waits' } })
        return await this.#follow(me, signal)
      } catch (error) {
        if (signal.aborted) return
        const isAway = isInsituError(error) && error.retry
        const state = isAway ? 'away' : problemOf(error)?.isDecision !== false ? 'waits' : 'failed'
        this.#set(gateway, { source: { gateway, state, error } })
        if (!isAway) return
        await pause(AGAIN, signal).catch(() => undefined)
      }
    }
  }

  async #follow(me: SignedIn, signal: AbortSignal, next = () => {}): Promise<void> {
    const { gateway, client } = me
    this.#set(gateway, { me })
    const follower = {
      began: async () => {
        await this.#load(me, undefined, signal)
        next()
        await this.joined(me, signal)
      },
      happened: async (event: EventView) => {
        const items = await this.changed(client, event, signal)
        if (items.length > 0) this.put(gateway, items)
      },
      away: (isAway: boolean, error?: unknown) => {
        if (isAway) next()
        const state = isAway ? 'away' : 'there'
        if (this.#parts.get(gateway)?.source.state !== state) this.#set(gateway, { source: { gateway, state, error } })
      },
    }
    await followAll(client, follower, signal)
  }

  async #load(me: SignedIn, before: string | undefined, signal: AbortSignal): Promise<void> {
    const page = await this.read(me.client, before, signal)
    const last = page.items.at(-1)
    const at = page.before === undefined || last === undefined ? -Infinity : this.keyOf(last)[1]
    const until = Number.isFinite(at) ? at : -Infinity
    this.#set(me.gateway, { before: page.before, until, source: { gateway: me.gateway, state: 'there' } })
    this.put(me.gateway, page.items)
  }

  #set(gateway: string, change: Partial<Part<Item>>): void {
    this.#parts.set(gateway, { ...(this.#parts.get(gateway) ?? partOf(gateway)), ...change })
    this.refresh()
  }
}

/** Return what a list says before it has anything, and of each gateway that is not in it. */
export function missingNotes({ items, missing }: Listed<unknown>): readonly Child[] {
  const asking = items === undefined && missing.every(({ state }) => state === 'asking')
  return [
    asking && h('p', { class: 'text soft', role: 'status' }, 'Asking the provider…'),
    missing.filter(({ state }) => state !== 'asking').map(missingNote),
  ]
}

function missingNote({ gateway, state, error }: Source): HTMLElement {
  const who = b(plain(gateway, 120))
  if (state === 'waits') {
    const label = `Sign in at ${plain(gateway, 120)}`
    const ask = h('button', { class: 'btn', type: 'button', 'data-act': 'join', 'data-gateway': gateway }, label)
    const said =
      error === undefined ? 'What it has is shown once your wallet signs in there.' : 'Nobody signed in there.'
    return h('div', { class: 'note', id: `at ${gateway}` }, p('', who, ` is not asked yet. ${said}`), p('', ask))
  }
  const problem = problemOf(error)
  const next = state === 'away' ? 'This page tries again by itself, and nothing gets lost.' : problem?.nextStep
  const code = problem?.code && span('small soft', ` Code ${plain(problem.code, 60)}`)
  return h(
    'div',
    { class: 'note', role: 'status', id: `at ${gateway}` },
    p(
      '',
      who,
      state === 'away' ? ' does not answer' : ' cannot be asked',
      ', so what it has is missing here, or old. ',
      problem?.what ?? '',
    ),
    p('', next ?? '', code),
  )
}

function partOf<Item>(gateway: string): Part<Item> {
  return { gateway, source: { gateway, state: 'asking' }, until: -Infinity }
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}

function after(one: number, other: number): number {
  return one === other ? 0 : other - one
}
