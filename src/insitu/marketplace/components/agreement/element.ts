import { type EventView, InsituError } from 'insitu'
import type { SignedIn } from '../../elements/account.js'
import { agreementOf } from '../../elements/account-lists.js'
import { startAgain } from '../../elements/again.js'
import { replaceChildren } from '../../elements/dom.js'
import { followAll } from '../../elements/following.js'
import { PersonalElement, pause } from '../../elements/personal.js'
import { site } from '../../elements/site.js'
import { boughtOf } from '../agreements/bought.js'
import { type AgreementState, agreementView } from './view.js'

/** `<insitu-agreement agreement="…">`: one agreement, its runs, and what can be done with it. */
class AgreementElement extends PersonalElement {
  protected readonly heading = 'Agreement'
  #state: AgreementState | undefined

  get #id(): string {
    return this.getAttribute('agreement') ?? ''
  }

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#state = undefined
    await this.#load(me, signal)
    this.#change({ token: (await me.client.chainFacts({ signal })).token })
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView()
    const follower = {
      began: () => this.#load(me, signal),
      happened: async ({ serviceAgreementId }: EventView) => {
        if (serviceAgreementId === this.#id) await this.#load(me, signal)
      },
      away: (isAway: boolean) => isAway !== (this.#state?.isAway ?? false) && this.#change({ isAway }),
    }
    await followAll(me.client, follower, signal)
  }

  async #load({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    const agreement = await agreementOf(client, this.#id, signal)
    if (agreement === undefined) {
      await client.agreements.show(this.#id, { signal })
      throw new InsituError('AgreementUnknown', 'the provider of this page does not know this agreement', {
        nextStep: 'Open it at the provider where it was bought.',
      })
    }
    const [bought] = await boughtOf(client, [agreement], signal)
    const { executions } = await client.executions({ agreement: this.#id, limit: 100, signal })
    if (bought) this.#change({ bought: { ...bought, executions }, now: Date.now() })
  }

  protected async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#change({ error: undefined, isBusy: true })
    if (act === 'again') await startAgain(me.client, this.#id, signal)
    else if (act === 'preview-close')
      this.#change({ closing: await me.client.agreements.previewClose(this.#id, { signal }) })
    else if (act === 'close') await this.#close(me, signal)
    else if (act === 'revise' && control instanceof HTMLFormElement) await this.#revise(control, me, signal)
    this.#change({ isBusy: false })
  }

  protected get isShown(): boolean {
    return this.#state !== undefined
  }

  protected failed(error: unknown): void {
    this.#change({ error, isBusy: false, revising: undefined })
  }

  /** Close it for no more than was shown, and wait until the money is back. */
  async #close(me: SignedIn, signal: AbortSignal): Promise<void> {
    const maxCharge = this.#state?.closing?.charge ?? 0n
    this.#change({ closing: await me.client.agreements.close(this.#id, { maxCharge, signal }) })
    while (!['closed', 'refunded', 'settled'].includes(this.#state?.bought.agreement.status ?? '')) {
      await this.#load(me, signal)
      await pause(500, signal)
    }
  }

  /** Publish a corrected script, and run it under this agreement. */
  async #revise(form: HTMLFormElement, me: SignedIn, signal: AbortSignal): Promise<void> {
    const file = new FormData(form).get('script')
    if (!(file instanceof File)) return
    const { Publisher } = await import('insitu/publish')
    const contents = { [file.name]: new Uint8Array(await file.arrayBuffer()) }
    const onProgress = ({ message }: { readonly message: string }) => this.#change({ revising: message })
    const execution = await new Publisher(me.client).revise(
      this.#id,
      { name: file.name, contents },
      { signal, onProgress },
    )
    location.assign(`/executions/${execution.agreementId}/${execution.executionId}`)
  }

  #change(change: Partial<AgreementState>): void {
    const { bought, token = site().token, now = Date.now(), ...rest } = { ...this.#state, ...change }
    if (bought === undefined) return
    this.#state = { ...rest, bought, token, now }
    replaceChildren(this, ...agreementView(this.#state))
  }
}

customElements.define('insitu-agreement', AgreementElement)
