import type { Execution, Happened, ReceiptView, ResultFile } from 'insitu'
import { isInsituError } from 'insitu/domain'
import type { SignedIn } from '../../elements/account.js'
import { agreementOf } from '../../elements/account-lists.js'
import { startAgain } from '../../elements/again.js'
import { focusOn, replaceChildren } from '../../elements/dom.js'
import { PersonalElement, pause } from '../../elements/personal.js'
import { save } from '../../elements/saving.js'
import { site } from '../../elements/site.js'
import { LogElement } from '../log/log.js'
import { archiveOf, type Entry } from '../result/archive.js'
import { Downloads } from '../result/downloads.js'
import { forget, kindOf, previewOf } from '../result/preview.js'
import { type ExecutionState, hasEnded, type Result, type Transfer } from './state.js'
import { openReceipt, surroundingsOf, verified } from './surroundings.js'
import { executionView } from './view.js'

/** Milliseconds after which a provider that is away is asked again, and between two looks at the status. */
const AGAIN = 3000
const BETWEEN = 250
/** A picture of at most so many bytes is shown without asking. */
const SMALL = 1_000_000
/** An archive has at most so many bytes; its format ends at 4 GiB. */
const LARGEST = 4_000_000_000

/** `<insitu-execution agreement="…" execution="…">`: one execution, as it happens. */
class ExecutionElement extends PersonalElement {
  protected readonly heading = 'Execution'
  #log = new LogElement()
  #state: ExecutionState | undefined
  #execution: Execution | undefined
  #downloads: Downloads | undefined
  #looking: Promise<void> | undefined
  #receipt: ReceiptView | undefined

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    const [agreement, id] = [this.getAttribute('agreement') ?? '', this.getAttribute('execution') ?? '']
    this.#reset()
    const execution = await me.client.execution(agreement, id, signal)
    this.#execution = execution
    this.#downloads = new Downloads(execution)
    const view = await execution.status({ signal })
    this.#log.setAttribute('name', id)
    if (!view.actions.includes('logs')) this.#log.kind = 'hidden'
    this.#change({ execution: view, token: site().token, now: Date.now() })
    const tick = setInterval(
      () => this.#state && !hasEnded(this.#state.execution) && this.#change({ now: Date.now() }),
      1000,
    )
    signal.addEventListener('abort', () => clearInterval(tick), { once: true })
    void this.#lookAround(me, signal)
    if (hasEnded(view)) void this.#ended(me, signal)
    await this.#follow(me, signal)
  }

  #reset(): void {
    for (const preview of Object.values(this.#state?.result?.previews ?? {})) forget(preview)
    this.#state = undefined
    this.#receipt = undefined
    this.#log = new LogElement()
  }

  /** Read the one stream to its end, however often the connection breaks. */
  async #follow(me: SignedIn, signal: AbortSignal): Promise<void> {
    let after: string | undefined
    while (!signal.aborted) {
      try {
        for await (const happened of this.#execution?.stream({ signal, after }) ?? []) {
          after = happened.id ?? after
          this.#away(false)
          this.#happened(happened, me, signal)
        }
        await this.#look(me, signal)
        this.#away(false)
        if (this.#state?.execution.actions.includes('logs')) this.#log.kind = 'complete'
        return await this.#ended(me, signal)
      } catch (error) {
        if (signal.aborted || !isInsituError(error) || !error.retry) throw error
        this.#away(true)
        await pause(AGAIN, signal)
      }
    }
  }

  #happened(happened: Happened, me: SignedIn, signal: AbortSignal): void {
    if (happened.kind === 'log') this.#log.add(happened.log)
    else this.#looking ??= this.#lookSoon(me, signal)
  }

  /** Look at the status once for all events that come within a moment. */
  async #lookSoon(me: SignedIn, signal: AbortSignal): Promise<void> {
    try {
      await pause(BETWEEN, signal)
      this.#looking = undefined
      await this.#look(me, signal)
      if (this.#state && hasEnded(this.#state.execution)) await this.#ended(me, signal)
    } catch {
      // The stream meets the same trouble, and says it.
    } finally {
      this.#looking = undefined
    }
  }

  async #look(_me: SignedIn, signal: AbortSignal): Promise<void> {
    const execution = await this.#execution?.status({ signal })
    if (execution !== undefined) this.#change({ execution, now: Date.now() })
  }

  /** What the page can be without, so trouble with it is not shown. */
  async #lookAround(me: SignedIn, signal: AbortSignal): Promise<void> {
    const { workflowDid, serviceAgreementId } = this.#state?.execution ?? { workflowDid: '', serviceAgreementId: '' }
    const quietly = (work: Promise<Partial<ExecutionState>>) =>
      work.then(change => signal.aborted || this.#change(change)).catch(() => undefined)
    await Promise.all([
      quietly(me.client.parts.chain.token(signal).then(token => ({ token }))),
      quietly(agreementOf(me.client, serviceAgreementId, signal).then(agreement => ({ agreement }))),
      quietly(
        surroundingsOf(me.client, workflowDid, signal).then(surroundings => ({
          surroundings: { ...surroundings, ...this.#signedRules() },
        })),
      ),
    ])
  }

  #signedRules(): object {
    const rules = this.#state?.signedRules
    return rules === undefined ? {} : { rules }
  }

  /** List the files, and verify the receipt; once more when it is settled. */
  async #ended(me: SignedIn, signal: AbortSignal): Promise<void> {
    const execution = this.#state?.execution
    if (execution === undefined) return
    if (execution.actions.includes('receipt')) await this.#verify(me, signal)
    const agreement = await agreementOf(me.client, execution.serviceAgreementId, signal).catch(() => undefined)
    if (agreement !== undefined) this.#change({ agreement })
    if (this.#state?.result === undefined && execution.phase === 'Succeeded') await this.#list(signal)
  }

  async #verify(me: SignedIn, signal: AbortSignal): Promise<void> {
    if (this.#state?.receipt?.kind === 'holds') return
    this.#change({ receipt: this.#state?.receipt ?? { kind: 'checking' } })
    const receipt = await this.#execution?.receipt({ signal })
    if (receipt === undefined) return
    this.#receipt = receipt
    const { receipt: told, rules } = await verified(me.client, receipt, { signal })
    const around = this.#state?.surroundings
    this.#change({ receipt: told, signedRules: rules, surroundings: around && rules ? { ...around, rules } : around })
  }

  async #list(signal: AbortSignal): Promise<void> {
    if (this.#state?.execution.role !== 'consumer') return
    const empty = { transfers: {}, previews: {} }
    try {
      const result = await this.#execution?.result({ signal })
      // The end is heard of twice, and what the person does with the files since the first time stays.
      if (result === undefined || this.#state.result !== undefined) return
      const { files, expiresAt } = result
      this.#change({ result: { files, expiresAt, ...empty } })
      const picture = files.find(file => kindOf(file) === 'image' && file.size <= SMALL)
      if (picture) await this.#show(picture, signal)
    } catch (error) {
      if (isInsituError(error) && error.code === 'ResultExpired')
        this.#change({ result: { files: [], isExpired: true, ...empty } })
      else if (!signal.aborted) this.failed(error)
    }
  }

  protected async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    if (this.#state?.error !== undefined) this.#change({ error: undefined })
    const file = this.#state?.result?.files.find(({ index }) => index === Number(control.getAttribute('data-file')))
    if (act === 'stop') await this.#stop(signal)
    else if (act === 'again') await startAgain(me.client, this.getAttribute('agreement') ?? '', signal)
    else if (act === 'receipt' && this.#receipt) openReceipt(this.#receipt)
    else if (act === 'show' && file) await this.#show(file, signal)
    else if (act === 'download' && file) await this.#save(file, signal)
    else if (act === 'download-all') await this.#saveAll(signal)
  }

  protected get isShown(): boolean {
    return this.#state !== undefined
  }

  protected failed(error: unknown): void {
    this.#change({ error, isStopping: false })
  }

  async #stop(signal: AbortSignal): Promise<void> {
    this.#change({ isStopping: true, error: undefined })
    const execution = await this.#execution?.stop({ signal })
    if (execution !== undefined) this.#change({ execution, isStopping: false })
  }

  async #show(file: ResultFile, signal: AbortSignal): Promise<void> {
    const content = await this.#fetch(file, signal)
    if (content === undefined) return
    const preview = await previewOf(file, content)
    const result = this.#state?.result
    if (result) this.#change({ result: { ...result, previews: { ...result.previews, [file.index]: preview } } })
  }

  async #save(file: ResultFile, signal: AbortSignal): Promise<void> {
    const content = await this.#fetch(file, signal)
    if (content !== undefined) save(content, file.name.split('/').at(-1) ?? file.name)
  }

  /** Save all files as one archive, with their folders; as many files as there are if that would be too large. */
  async #saveAll(signal: AbortSignal): Promise<void> {
    const files = this.#state?.result?.files ?? []
    const total = files.reduce((sum, file) => sum + file.size, 0)
    if (files.length === 1 || total > LARGEST) {
      for (const file of files) await this.#save(file, signal)
      return
    }
    const entries: Entry[] = []
    for (const file of files) {
      const content = await this.#fetch(file, signal)
      if (content === undefined) return
      entries.push({ name: file.name, content })
    }
    save(await archiveOf(entries), `${this.getAttribute('execution')}.zip`)
  }

  /** Fetch a file, hashed while it flows; undefined if it did not come whole. */
  async #fetch(file: ResultFile, signal: AbortSignal): Promise<Blob | undefined> {
    try {
      const content = await this.#downloads?.fetch(
        file,
        received => this.#transfer(file, { kind: 'flowing', received }),
        signal,
      )
      this.#transfer(file, { kind: 'whole' })
      return content
    } catch (error) {
      signal.throwIfAborted()
      this.#transfer(file, { kind: 'broken', error })
      return undefined
    }
  }

  #transfer({ index }: ResultFile, transfer: Transfer): void {
    const result: Result | undefined = this.#state?.result
    if (result) this.#change({ result: { ...result, transfers: { ...result.transfers, [index]: transfer } } })
  }

  #away(isAway: boolean): void {
    this.#log.isBroken = isAway
    if ((this.#state?.isAway ?? false) !== isAway) this.#change({ isAway })
  }

  #change(change: Partial<ExecutionState>): void {
    this.#state = { ...this.#state, ...change } as ExecutionState
    const { activeElement: focused } = document
    const isFocused = this.contains(focused)
    replaceChildren(this, ...executionView(this.#state))
    const place = this.querySelector('insitu-place')
    if (place !== null && this.#log.parentNode !== place) place.replaceChildren(this.#log)
    // What had the focus may be gone with the layout of a run that goes on.
    if (!isFocused || this.contains(document.activeElement)) return
    focusOn(this.contains(focused) ? (focused as HTMLElement) : this.querySelector('h1'))
  }
}

customElements.define('insitu-execution', ExecutionElement)
