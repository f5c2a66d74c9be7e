import type { ExecutionView } from 'insitu'
import { isInsituError } from 'insitu/domain'
import type { SignedIn } from '../../elements/account.js'
import { replaceChildren } from '../../elements/dom.js'
import { PersonalElement, pause } from '../../elements/personal.js'
import { type ExecutionsState, executionsView } from './view.js'

/** Runs on one page, and milliseconds until a provider that is away is asked again. */
const PAGE = 25
const AGAIN = 3000

/** `<insitu-executions>`: what the account ran; the stream of all executions keeps it up to date. */
class ExecutionsElement extends PersonalElement {
  protected readonly heading = 'Executions'
  #state: ExecutionsState | undefined
  #before: string | undefined

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#state = { address: me.address, executions: undefined, hasMore: false }
    this.#change({})
    let after: string | undefined
    while (!signal.aborted) {
      try {
        for await (const happened of me.client.events({ signal, after })) {
          after = happened.id ?? after
          this.#change({ isAway: false })
          if (happened.kind === 'begin') await this.#load(me, signal)
          else await this.#update(me, happened.event.serviceAgreementId, happened.event.workflowExecutionId, signal)
        }
      } catch (error) {
        if (signal.aborted || !isInsituError(error) || !error.retry) throw error
        this.#change({ isAway: true })
        await pause(AGAIN, signal)
      }
    }
  }

  async #load({ client }: SignedIn, signal: AbortSignal, before?: string): Promise<void> {
    const page = await client.executions({ before, limit: PAGE, signal })
    this.#before = page.before
    this.#put(page.executions)
  }

  /** Look at one execution of which something was heard. */
  async #update({ client }: SignedIn, agreement: string, id: string, signal: AbortSignal): Promise<void> {
    const execution = await client.execution(agreement, id, signal)
    this.#put([await execution.status({ signal })])
  }

  #put(found: readonly ExecutionView[]): void {
    const every = new Map(this.#state?.executions?.map(one => [one.workflowExecutionId, one]))
    for (const one of found) every.set(one.workflowExecutionId, one)
    const executions = [...every.values()].sort((one, other) => Date.parse(other.createdAt) - Date.parse(one.createdAt))
    this.#change({ executions, hasMore: this.#before !== undefined })
  }

  protected async act(act: string, _control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    if (act === 'more') await this.#load(me, signal, this.#before)
  }

  protected failed(error: unknown): void {
    this.#change({ error })
  }

  #change(change: Partial<ExecutionsState>): void {
    if (this.#state === undefined) return
    this.#state = { ...this.#state, ...change }
    replaceChildren(this, ...executionsView(this.#state))
  }
}

customElements.define('insitu-executions', ExecutionsElement)
