import type { EventView, ExecutionView } from 'insitu'
import type { SignedIn } from '../../elements/account.js'
import { replaceChildren } from '../../elements/dom.js'
import { followAll } from '../../elements/following.js'
import { PersonalElement } from '../../elements/personal.js'
import { type ExecutionsState, executionsView } from './view.js'

/** Runs on one page. */
const PAGE = 25

/** `<insitu-executions>`: what the account ran; the stream of all executions keeps it up to date. */
class ExecutionsElement extends PersonalElement {
  protected readonly heading = 'Executions'
  #state: ExecutionsState | undefined
  #before: string | undefined

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#state = { address: me.address, executions: undefined, hasMore: false }
    this.#change({})
    const follower = {
      began: () => this.#load(me, signal),
      happened: ({ serviceAgreementId, workflowExecutionId }: EventView) =>
        this.#update(me, serviceAgreementId, workflowExecutionId, signal),
      away: (isAway: boolean) => isAway !== (this.#state?.isAway ?? false) && this.#change({ isAway }),
    }
    await followAll(me.client, follower, signal)
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

  protected get isShown(): boolean {
    return this.#state?.executions !== undefined
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
