import { replaceChildren } from '../../elements/dom.js'
import { save } from '../../elements/saving.js'
import { site } from '../../elements/site.js'
import { checkFile } from './read.js'
import { type ReceiptsState, receiptsView } from './view.js'

/** Where the page of an execution leaves a receipt for this one, in the same tab. */
const HANDED = 'insitu.receipt'

/** `<insitu-receipts>`: checks a receipt that somebody chooses, drops, or comes with. Nothing is sent. */
class ReceiptsElement extends HTMLElement {
  #state: ReceiptsState = { chainId: 0, token: { symbol: '', decimals: 0 } }
  #isListening = false

  connectedCallback(): void {
    const { chain, token } = site()
    this.#change({ chainId: chain.id, token })
    if (!this.#isListening) this.#listen()
    const handed = sessionStorage.getItem(HANDED)
    sessionStorage.removeItem(HANDED)
    if (handed !== null) void this.#check(new File([handed], 'receipt.json'))
  }

  #listen(): void {
    this.#isListening = true
    this.addEventListener('change', event => this.#chosen(event.target))
    this.addEventListener('click', event => this.#clicked(event.target))
    // Anywhere in the window, because a browser would open a file that falls beside.
    addEventListener('dragover', event => this.#over(event))
    addEventListener('dragleave', () => this.#change({ isOver: false }))
    addEventListener('drop', event => this.#dropped(event))
  }

  #over(event: DragEvent): void {
    event.preventDefault()
    if (!this.#state.isOver) this.#change({ isOver: true })
  }

  #dropped(event: DragEvent): void {
    event.preventDefault()
    const file = event.dataTransfer?.files[0]
    this.#change({ isOver: false })
    if (file) void this.#check(file)
  }

  #chosen(target: EventTarget | null): void {
    const file = target instanceof HTMLInputElement ? target.files?.[0] : undefined
    if (file) void this.#check(file)
  }

  #clicked(target: EventTarget | null): void {
    const act = target instanceof Element ? target.closest('[data-act]')?.getAttribute('data-act') : null
    const { checked } = this.#state
    if (act === 'print') print()
    else if (act === 'save' && checked?.kind === 'holds')
      save(new Blob([checked.text], { type: 'application/json' }), 'receipt.json')
  }

  async #check(file: File): Promise<void> {
    this.#change({ isReading: true })
    this.#change({ checked: await checkFile(file), isReading: false })
  }

  #change(change: Partial<ReceiptsState>): void {
    this.#state = { ...this.#state, ...change }
    replaceChildren(this, ...receiptsView(this.#state))
  }
}

customElements.define('insitu-receipts', ReceiptsElement)
