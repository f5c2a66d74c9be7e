import type { AgreementView, EventView } from 'insitu'
import type { SignedIn } from '../../elements/account.js'
import { startAgain } from '../../elements/again.js'
import { replaceChildren } from '../../elements/dom.js'
import { followAll } from '../../elements/following.js'
import { PersonalElement } from '../../elements/personal.js'
import { site } from '../../elements/site.js'
import { boughtOf } from './bought.js'
import type { AgreementsState } from './state.js'
import { agreementsView } from './view.js'

/** Events after which money or runs may be others. */
const CHANGES = ['phase', 'end']

/** `<insitu-agreements>`: what the account bought, followed by the stream of all its executions. */
class AgreementsElement extends PersonalElement {
  protected readonly heading = 'Agreements'
  #state: AgreementsState | undefined
  #known: readonly AgreementView[] = []
  #before: string | undefined

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#known = []
    this.#state = { address: me.address, token: site().token, now: Date.now(), agreements: undefined, hasMore: false }
    this.#change({})
    this.#change({ token: (await me.client.chainFacts({ signal })).token })
    const follower = {
      began: () => this.#load(me, signal),
      happened: async ({ type }: EventView) => {
        if (CHANGES.includes(type)) await this.#load(me, signal)
      },
      away: (isAway: boolean) => isAway !== (this.#state?.isAway ?? false) && this.#change({ isAway }),
    }
    await followAll(me.client, follower, signal)
  }

  /** Read the newest page; `before` reads the one behind it too. */
  async #load({ client }: SignedIn, signal: AbortSignal, before?: string): Promise<void> {
    const page = await client.agreements.page({ before, limit: 50, signal })
    const older = before === undefined ? this.#known.slice(page.agreements.length) : []
    const others = new Set(page.agreements.map(({ serviceAgreementId }) => serviceAgreementId))
    const kept =
      before === undefined ? older.filter(({ serviceAgreementId }) => !others.has(serviceAgreementId)) : this.#known
    this.#known = before === undefined ? [...page.agreements, ...kept] : [...kept, ...page.agreements]
    if (before !== undefined || kept.length === 0) this.#before = page.before
    const agreements = await boughtOf(client, this.#known, signal)
    this.#change({ agreements, hasMore: this.#before !== undefined, now: Date.now() })
  }

  protected async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    if (act === 'more') await this.#load(me, signal, this.#before)
    else if (act === 'again') await startAgain(me.client, control.getAttribute('data-agreement') ?? '', signal)
  }

  protected get isShown(): boolean {
    return this.#state?.agreements !== undefined
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
