import type { AccountClient, EventView, ExecutionView } from 'insitu'
import type { SignedIn } from '../../elements/account.js'
import { executionOf } from '../../elements/account-lists.js'
import { replaceChildren } from '../../elements/dom.js'
import { ListElement, type Listed } from '../../elements/lists.js'
import { type ExecutionsState, executionsView } from './view.js'

/** Runs on one page. */
const PAGE = 25

/** `<insitu-executions>`: what the account ran; the streams of all executions keep it up to date. */
class ExecutionsElement extends ListElement<ExecutionView> {
  protected readonly heading = 'Executions'
  #state: ExecutionsState | undefined

  protected override async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#state = { address: me.address, items: undefined, hasMore: false, missing: [] }
    await super.open(me, signal)
  }

  protected async read(client: AccountClient, before: string | undefined, signal: AbortSignal) {
    const page = await client.executions({ role: 'consumer', before, limit: PAGE, signal })
    return { items: page.executions, before: page.before }
  }

  protected async changed(client: AccountClient, event: EventView, signal: AbortSignal) {
    const execution = await executionOf(client, event, signal)
    return execution.role === 'consumer' ? [execution] : []
  }

  protected keyOf({ workflowExecutionId, createdAt }: ExecutionView) {
    return [workflowExecutionId, Date.parse(createdAt)] as const
  }

  protected show(listed: Listed<ExecutionView>): void {
    this.#change(listed)
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
