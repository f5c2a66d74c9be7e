import { choice, onAccount, resume, signIn } from '../../elements/account.js'
import { replaceChildren } from '../../elements/dom.js'
import { gateways } from '../../elements/personal.js'
import { site } from '../../elements/site.js'
import { type CurationState, curationView, DECISIONS, type Decision, isForReason, mayDecide } from './view.js'

const DID = /did:nv:[0-9a-f]{64}/

/** `<insitu-curation>`: the form with which a curator signs a decision. The page's server shows what was decided. */
class CurationElement extends HTMLElement {
  #state: CurationState | undefined
  #abort: AbortController | undefined
  #stopListening: (() => void) | undefined

  connectedCallback(): void {
    const decision = this.getAttribute('decision') ?? ''
    this.#state = {
      ...{ curators: (this.getAttribute('curators') ?? '').split(' ').filter(Boolean), catalogue: site().catalogue },
      ...{
        address: undefined,
        asset: this.getAttribute('did') ?? '',
        reason: '',
        progress: undefined,
        error: undefined,
      },
      decision: decision in DECISIONS ? (decision as Decision) : 'hide',
    }
    this.#stopListening = onAccount(gateway(), () => this.#accountChanged())
    this.addEventListener('click', ({ target }) => {
      if (target instanceof Element && target.closest('[data-act=cancel]')) this.#abort?.abort()
    })
    this.#change({})
    void resume(gateway()).catch(error => this.#change({ error }))
  }

  disconnectedCallback(): void {
    this.#stopListening?.()
    this.#abort?.abort()
  }

  /** What one account was asked to sign is not for another. */
  #accountChanged(): void {
    const address = choice()?.address
    if (this.#state?.address !== undefined && address !== this.#state.address) this.#abort?.abort()
    this.#change({ address })
  }

  async #decide(): Promise<void> {
    const { asset = '', decision = 'hide', reason = '', progress } = this.#state ?? {}
    const did = DID.exec(asset)?.[0]
    if (did === undefined || progress !== undefined) return
    this.#abort = new AbortController()
    const { signal } = this.#abort
    this.#change({ progress: 'Looking for your account…', error: undefined })
    try {
      const me = await signIn(gateway(), { signal })
      this.#change({ address: me.address })
      if (this.#state === undefined || !mayDecide(this.#state, me.address)) return
      const { Desk } = await import('insitu/desk')
      signal.throwIfAborted()
      const control = { signal, onProgress: ({ message }: { message: string }) => this.#change({ progress: message }) }
      const desk = new Desk(me.client)
      if (isForReason(decision)) await desk[decision as 'hide' | 'feature'](did, reason, control)
      else await desk[decision as 'unhide' | 'unfeature'](did, control)
      location.assign(`/curation?did=${did}`)
    } catch (error) {
      this.#change({ error })
    } finally {
      this.#change({ progress: undefined })
    }
  }

  #change(change: Partial<CurationState>): void {
    if (this.#state === undefined) return
    this.#state = { ...this.#state, ...change }
    const actions = {
      change: (given: Partial<CurationState>) => this.#change(given),
      decide: () => void this.#decide(),
    }
    replaceChildren(this, ...curationView(this.#state, actions))
  }
}

function gateway(): string {
  return gateways()[0] ?? location.origin
}

customElements.define('insitu-curation', CurationElement)
