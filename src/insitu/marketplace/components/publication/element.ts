import type { SignedIn } from '../../elements/account.js'
import { PersonalElement } from '../../elements/personal.js'
import type { PublicationController } from './controller.js'

/** `<insitu-publication kind>`: the form and the rules of documents are loaded once an account is there. */
class PublicationElement extends PersonalElement {
  protected readonly heading = this.getAttribute('heading') ?? 'Publish'
  protected override readonly purpose =
    'What you publish belongs to your account, so the page asks your wallet for its address. Nothing is signed before you have seen the exact document, and what you write stays in this tab.'
  #controller: PublicationController | undefined

  protected async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    const { PublicationController } = await import('./controller.js')
    signal.throwIfAborted()
    this.#controller ??= new PublicationController(this)
    await this.#controller.open(me, this.preferred ?? me.gateway, signal)
  }

  protected override get preferred(): string | undefined {
    // As memory.ts keeps it, which is loaded with the form.
    try {
      return JSON.parse(sessionStorage.getItem(`insitu.publication.${this.getAttribute('kind')}`) ?? '{}').gateway
    } catch {
      return undefined
    }
  }

  protected async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    if (act === 'gateway') {
      this.#controller?.move(String(new FormData(control as HTMLFormElement).get('gateway')))
      return this.begin(true)
    }
    await this.#controller?.act(act, control, me, signal)
  }

  protected get isShown(): boolean {
    return this.#controller?.isShown ?? false
  }

  protected failed(error: unknown): void {
    this.#controller?.failed(error)
  }
}

customElements.define('insitu-publication', PublicationElement)
