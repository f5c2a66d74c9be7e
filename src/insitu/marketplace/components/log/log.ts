import type { LogView } from 'insitu'
import { replaceChildren } from '../../elements/dom.js'
import { save } from '../../elements/saving.js'
import { counted } from '../../elements/words.js'
import { LogLines, matching } from './lines.js'
import { CHUNK, chunkOf, type LogState, logView, sentenceOf } from './view.js'

/** Milliseconds between two sentences that a reader of screens hears. */
const POLITE = 5000

/** `<insitu-log>`: shows what `add` is given. It never asks for anything itself. */
export class LogElement extends HTMLElement {
  readonly #log = new LogLines()
  readonly #stages = new Set<number>()
  #state: LogState = { kind: 'waiting', lines: this.#log.lines, found: undefined, query: '', follow: true }
  /** How many lines, of those that match, stand in the page. */
  #drawn = 0
  /** How many lines have been searched. */
  #searched = 0
  #frame = 0
  #spoke = 0
  #settling: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.addEventListener('input', event => this.#changed(event.target))
    this.addEventListener('submit', event => event.preventDefault())
    this.addEventListener('click', event => this.#act(event.target))
    this.addEventListener('scroll', event => this.#scrolled(event.target), true)
  }

  connectedCallback(): void {
    this.#rebuild()
  }

  /** Add what a stage printed. */
  add(piece: LogView): void {
    this.#log.add(piece)
    const isNew = !this.#stages.has(piece.stage)
    this.#stages.add(piece.stage)
    if (this.#state.kind === 'waiting') this.#state = { ...this.#state, kind: 'live' }
    // From the second stage on, one can be chosen.
    if (isNew && this.#stages.size > 1) this.#frameNow()
    else this.#soon()
  }

  /** Say where the log stands. */
  set kind(kind: LogState['kind']) {
    if (kind === 'complete') this.#log.finish()
    if (kind === this.#state.kind) return
    this.#state = { ...this.#state, kind, follow: this.#state.follow && kind !== 'complete' }
    this.#frameNow()
  }

  /** Say whether the provider is away. */
  set isBroken(isBroken: boolean) {
    if (isBroken === (this.#state.isBroken ?? false)) return
    this.#state = { ...this.#state, isBroken }
    this.#frameNow()
  }

  /** Draw at the next frame, however many pieces come until then. */
  #soon(): void {
    this.#frame ||= requestAnimationFrame(() => this.#draw())
  }

  #frameNow(): void {
    if (!this.isConnected) return
    replaceChildren(this, ...logView(this.#state))
    this.#spoke = performance.now()
    this.#soon()
  }

  #rebuild(): void {
    this.#drawn = 0
    this.querySelector('insitu-lines')?.replaceChildren()
    this.#frameNow()
  }

  #draw(): void {
    this.#frame = 0
    const { lines, query, stage, found: before } = this.#state
    const isAll = query === '' && stage === undefined
    const found = isAll ? undefined : [...(before ?? []), ...matching(lines, query, this.#searched, stage)]
    this.#searched = lines.length
    this.#state = { ...this.#state, found }
    this.#append(found)
    if (this.#state.follow) this.#scrollTo(Number.MAX_SAFE_INTEGER)
    this.#speak()
  }

  /** Fill the last chunk, and add others behind it. */
  #append(found: readonly number[] | undefined): void {
    const host = this.querySelector('insitu-lines')
    const { lines, query } = this.#state
    const total = found?.length ?? lines.length
    if (host === null || total === this.#drawn) return
    let from = this.#drawn - (this.#drawn % CHUNK)
    if (from !== this.#drawn) host.lastElementChild?.remove()
    for (; from < total; from += CHUNK) {
      const end = Math.min(from + CHUNK, total)
      const at = Array.from({ length: end - from }, (_, step) => found?.[from + step] ?? from + step)
      host.append(chunkOf(lines, at, query))
    }
    this.#drawn = total
    this.querySelector('pre')?.setAttribute('aria-label', `Log, ${counted(lines.length, 'line')}`)
  }

  #speak(): void {
    const wait = this.#spoke + POLITE - performance.now()
    clearTimeout(this.#settling)
    if (wait > 0 && this.#state.kind === 'live' && this.#state.lines.length > CHUNK) {
      this.#settling = setTimeout(() => this.#speak(), wait)
      return
    }
    this.#spoke = performance.now()
    const status = this.querySelector('[role=status]')
    const sentence = sentenceOf(this.#state)
    if (status !== null && status.textContent !== sentence) status.textContent = sentence
  }

  #changed(target: EventTarget | null): void {
    if (target instanceof HTMLSelectElement) {
      this.#search({ stage: target.value === '' ? undefined : Number(target.value) })
      return
    }
    if (!(target instanceof HTMLInputElement)) return
    if (target.type === 'checkbox') {
      this.#state = { ...this.#state, follow: target.checked }
      this.#soon()
      return
    }
    this.#search({ query: target.value.trim() })
  }

  #search(what: Partial<LogState>): void {
    this.#state = { ...this.#state, ...what, found: undefined }
    this.#searched = 0
    this.#spoke = 0
    this.#rebuild()
  }

  #act(target: EventTarget | null): void {
    const act = target instanceof Element ? target.closest('[data-act]')?.getAttribute('data-act') : undefined
    if (act === 'first') this.#jump(0)
    else if (act === 'last') this.#jump(Number.MAX_SAFE_INTEGER)
    else if (act === 'download') {
      const texts = this.#state.lines.map(line => (line.notice ? `— ${line.text}\n` : `${line.text}\n`))
      save(new Blob(texts, { type: 'text/plain' }), `${this.getAttribute('name') ?? 'log'}.txt`)
    }
  }

  #jump(top: number): void {
    if (top === 0) this.#setFollow(false)
    if (this.#frame !== 0) {
      cancelAnimationFrame(this.#frame)
      this.#draw()
    }
    if (top === 0) this.#scrollTo(0)
    else this.#scrollToEnd()
    const pre = this.querySelector('pre')
    pre?.focus({ preventScroll: true })
    pre?.scrollIntoView({ block: 'nearest' }) // the buttons may be the last that the window shows
  }

  /** The browser guesses the height of what it has not drawn, so the end may be somewhere else once it is there. */
  #scrollToEnd(tries = 5): void {
    this.#scrollTo(Number.MAX_SAFE_INTEGER)
    if (tries === 0) return
    requestAnimationFrame(() => {
      const pre = this.querySelector('pre')
      if (pre !== null && pre.scrollHeight - pre.scrollTop - pre.clientHeight > 1) this.#scrollToEnd(tries - 1)
    })
  }

  #scrollTo(top: number): void {
    this.querySelector('pre')?.scrollTo({ top, behavior: 'instant' })
  }

  /** Who scrolls up wants to read, and who is at the end follows. */
  #scrolled(target: EventTarget | null): void {
    if (!(target instanceof HTMLPreElement) || this.#frame !== 0) return
    this.#setFollow(target.scrollHeight - target.scrollTop - target.clientHeight < 24)
  }

  #setFollow(follow: boolean): void {
    if (this.#state.kind === 'complete' || follow === this.#state.follow) return
    this.#state = { ...this.#state, follow }
    const box = this.querySelector<HTMLInputElement>('#log-follow')
    if (box) box.checked = follow
  }
}

customElements.define('insitu-log', LogElement)
