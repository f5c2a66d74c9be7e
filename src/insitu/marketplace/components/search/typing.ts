/** What a new address of the search changes in the page; the field itself stays as a person left it. */
const CHANGING = ['count', 'orders', 'found']
/** Milliseconds without a key before the catalogue is asked. */
const PAUSE = 200

/** Searches while a person types: fetches the page of the new address, and takes over what it changes. */
class Search extends HTMLElement {
  #asked: XMLHttpRequest | undefined
  #timer = 0

  connectedCallback(): void {
    this.addEventListener('input', () => {
      clearTimeout(this.#timer)
      this.#timer = window.setTimeout(() => this.#ask(), PAUSE)
    })
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer)
    this.#asked?.abort()
  }

  #address(): string {
    const form = this.querySelector('form')
    const fields = form === null ? [] : [...new FormData(form)].map(([name, value]) => [name, String(value)])
    const set = new URLSearchParams(fields.filter(([, value]) => value !== ''))
    return `/search${set.size > 0 ? `?${set}` : ''}`
  }

  /** A response of type `document` is parsed without running anything, and needs no policy of Trusted Types. */
  #ask(): void {
    this.#asked?.abort()
    const [address, asked] = [this.#address(), new XMLHttpRequest()]
    this.#asked = asked
    asked.responseType = 'document'
    asked.onload = () => {
      const page = asked.responseXML
      if (asked.status === 200 && page !== null) this.#show(page, address)
    }
    asked.open('GET', address)
    asked.send()
  }

  #show(page: Document, address: string): void {
    for (const id of CHANGING) {
      const [here, there] = [document.getElementById(id), page.getElementById(id)]
      if (here && there) here.replaceChildren(...there.childNodes)
    }
    document.title = page.title
    history.replaceState(history.state, '', address)
  }
}

customElements.define('insitu-search', Search)
