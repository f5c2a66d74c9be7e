/** Elements of pages for one account: they ask who looks at the page, and begin again when that changes. */
import { isInsituError } from 'insitu/domain'
import { changed, choice, onAccount, resume, type SignedIn, signIn } from './account.js'
import { type Child, focusOn, h, replaceChildren } from './dom.js'
import { button, p } from './parts.js'
import { problemNote } from './problem.js'
import { site } from './site.js'

/** What a personal page shows before an account is there. */
export type Welcome = { readonly kind: 'looking' } | { readonly kind: 'signed-out'; readonly error?: unknown }

const PURPOSE =
  'This page is about what one account did. Only the account itself can open it: your wallet signs in at the provider, which costs nothing.'

/** Return what stands in a personal page as long as nobody is signed in. */
export function welcomeView(heading: string, welcome: Welcome, purpose = PURPOSE): readonly Child[] {
  const title = h('h1', {}, heading)
  if (welcome.kind === 'looking')
    return [title, h('p', { class: 'text soft', role: 'status' }, 'Looking for your account…')]
  return [
    title,
    p('text', purpose),
    welcome.error !== undefined && problemNote(welcome.error),
    p('row', button('btn first', 'sign-in', 'Sign in')),
  ]
}

/** Return the gateways that a personal page asks. */
export function gateways(): readonly string[] {
  const { gateways: named } = site()
  return named.length > 0 ? named : [location.origin]
}

/** An element that shows what one account may see. */
export abstract class PersonalElement extends HTMLElement {
  #abort: AbortController | undefined
  #stopListening: (() => void) | undefined
  #isListening = false
  #me: SignedIn | undefined

  /** What the page is called before it knows more. */
  protected abstract readonly heading: string

  /** Why somebody has to sign in. */
  protected readonly purpose: string = PURPOSE

  /** The gateway that is asked before the others. */
  protected get preferred(): string | undefined {
    return undefined
  }

  /** Show everything for an account, until the signal says stop. */
  protected abstract open(me: SignedIn, signal: AbortSignal): Promise<void>

  /** Do what a control with `data-act` asks for. */
  protected abstract act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void>

  /** Whether there is something to show of the account. */
  protected abstract get isShown(): boolean

  /** Show what an action met. */
  protected abstract failed(error: unknown): void

  /** Who is signed in, as long as somebody is. */
  protected get me(): SignedIn | undefined {
    return this.#me
  }

  /** Ends with what this page does for the account. */
  protected get signal(): AbortSignal | undefined {
    return this.#abort?.signal
  }

  connectedCallback(): void {
    if (!this.#isListening) {
      this.#isListening = true
      this.addEventListener('click', event => this.#clicked(event.target))
      this.addEventListener('submit', event => this.#submitted(event))
    }
    const stops = gateways().map(gateway => onAccount(gateway, now => this.#heard(now)))
    this.#stopListening = () => stops.forEach(stop => void stop())
    void this.begin(false)
  }

  disconnectedCallback(): void {
    this.#stopListening?.()
    this.#abort?.abort()
  }

  /** What is shown comes from the first gateway that answered: an account that another one opens later changes nothing. */
  #heard(now: SignedIn | undefined): void {
    if ((now === undefined) !== (this.#me === undefined)) void this.begin(false)
  }

  /** Begin again, with a prompt if a person has to say something. */
  protected async begin(isAsked: boolean): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    const { signal } = abort
    this.#abort = abort
    const had = this.#me
    this.#me = undefined
    this.#welcome({ kind: 'looking' })
    try {
      const me = await this.#account(isAsked, signal)
      if (signal.aborted) return
      this.#me = me
      // The wallet is still there, but on another chain.
      const isAway = me === undefined && had !== undefined && choice() !== undefined
      if (me === undefined) this.#welcome({ kind: 'signed-out', error: isAway ? changed() : undefined })
      else await this.open(me, signal)
    } catch (error) {
      if (signal.aborted) return
      if (this.isShown && this.#me !== undefined) this.failed(error)
      else this.#welcome({ kind: 'signed-out', error })
      // The button that was pressed is a new one: who uses the keyboard goes on there.
      if (isAsked) focusOn(this.querySelector<HTMLElement>('[data-act=sign-in]'))
    }
  }

  /** Return the account at the first gateway that answers. */
  async #account(isAsked: boolean, signal: AbortSignal): Promise<SignedIn | undefined> {
    let failure: unknown
    const named = gateways()
    const first = named.filter(gateway => gateway === this.preferred)
    for (const gateway of new Set([...first, ...named])) {
      try {
        return await (isAsked ? signIn : resume)(gateway, { signal })
      } catch (error) {
        if (signal.aborted || !isInsituError(error) || !error.retry) throw error
        failure ??= error
      }
    }
    throw failure
  }

  #welcome(welcome: Welcome): void {
    replaceChildren(this, ...welcomeView(this.heading, welcome, this.purpose))
  }

  #submitted(event: Event): void {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || !form.dataset['act']) return
    event.preventDefault()
    void this.#run(form.dataset['act'], form)
  }

  #clicked(target: EventTarget | null): void {
    const control = target instanceof Element ? target.closest('button[data-act], a[data-act]') : null
    const act = control?.getAttribute('data-act')
    if (control === null || !act) return
    if (act === 'sign-in') void this.begin(true)
    else void this.#run(act, control)
  }

  async #run(act: string, control: Element): Promise<void> {
    const [me, signal] = [this.#me, this.#abort?.signal]
    if (me === undefined || signal === undefined) return
    try {
      await this.act(act, control, me, signal)
    } catch (error) {
      if (!signal.aborted) this.failed(error)
    }
  }
}

/** Wait; it ends early with the signal, and throws its reason. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
