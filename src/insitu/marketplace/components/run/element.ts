/** The page of a run: chosen, judged, signed and started in the browser. */
import { RunController } from './controller.js'

class Run extends HTMLElement {
  #controller: RunController | undefined

  connectedCallback(): void {
    const subject = {
      gateway: this.getAttribute('gateway') || location.origin,
      inputs: (this.getAttribute('inputs') ?? '').split(' ').filter(Boolean),
      workflow: this.getAttribute('workflow') ?? '',
    }
    this.#controller = new RunController(this, subject)
    void this.#controller.start()
  }

  disconnectedCallback(): void {
    this.#controller?.end()
  }
}

customElements.define('insitu-run', Run)
