import type { AccountClient, EventView } from 'insitu'
import type { SignedIn } from '../../elements/account.js'
import { agreementOf } from '../../elements/account-lists.js'
import { startAgain } from '../../elements/again.js'
import { replaceChildren } from '../../elements/dom.js'
import { ListElement, type Listed } from '../../elements/lists.js'
import { site } from '../../elements/site.js'
import { boughtOf } from './bought.js'
import type { AgreementsState, Bought } from './state.js'
import { agreementsView } from './view.js'

/** Events after which money or runs may be others. */
const CHANGES = ['phase', 'end', 'settled', 'refunded']

/** `<insitu-agreements>`: what the account bought, followed by the streams of all its executions. */
class AgreementsElement extends ListElement<Bought> {
  protected readonly heading = 'Agreements'
  #state: AgreementsState | undefined

  protected override async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    const known = { token: site().token, now: Date.now(), items: undefined, hasMore: false, missing: [] }
    this.#state = { address: me.address, ...known }
    this.#change({})
    this.#change({ token: (await me.client.chainFacts({ signal })).token })
    await super.open(me, signal)
  }

  protected async read(client: AccountClient, before: string | undefined, signal: AbortSignal) {
    const page = await client.agreements.page({ before, limit: 50, signal })
    return { items: await boughtOf(client, page.agreements, signal), before: page.before }
  }

  protected async changed(client: AccountClient, event: EventView, signal: AbortSignal) {
    if (!CHANGES.includes(event.type) || event.role === 'owner') return []
    const agreement = await agreementOf(client, event.serviceAgreementId, signal)
    return agreement ? boughtOf(client, [agreement], signal) : []
  }

  /** What is not locked yet is the newest. */
  protected keyOf({ agreement: { serviceAgreementId, lockedAt } }: Bought) {
    return [serviceAgreementId, lockedAt ? Date.parse(lockedAt) : Infinity] as const
  }

  protected show(listed: Listed<Bought>): void {
    this.#change({ ...listed, now: Date.now() })
  }

  protected override async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    if (act === 'again') await startAgain(me.client, control.getAttribute('data-agreement') ?? '', signal)
    else await super.act(act, control, me, signal)
  }

  protected failed(error: unknown): void {
    this.#change({ error })
  }

  #change(change: Partial<AgreementsState>): void {
    if (this.#state === undefined) return
    this.#state = { ...this.#state, ...change }
    replaceChildren(this, ...agreementsView(this.#state))
  }
}

customElements.define('insitu-agreements', AgreementsElement)
