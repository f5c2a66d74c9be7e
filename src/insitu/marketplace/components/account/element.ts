// Every page loads this script, so what reading pages need is in it: they ask for one script, not for three.
import '../copy/copy.js'
import '../search/typing.js'

/**
 * The account in the head of each page. It is on reading pages too, so it imports nothing before somebody needs it: it shows
 * what the tab remembers, and loads the rest when it is pressed, or once the page is there and an account was used before.
 */
const REMEMBERED = 'insitu.account'

class AccountButton extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener('click', event => {
      event.preventDefault()
      void this.#load().then(({ openAccount }) => openAccount(this))
    })
    document.addEventListener('insitu-account', () => void this.#load().then(({ follow }) => follow(this)), {
      once: true,
    })
    if (!this.#isUsed()) return
    const begin = () => void this.#load().then(({ follow }) => follow(this))
    if (document.readyState === 'complete') begin()
    else window.addEventListener('load', begin, { once: true })
  }

  #load() {
    return import('./controller.js')
  }

  #isUsed(): boolean {
    try {
      const { address, balance = '' } = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? '{}')
      if (!/^0x[0-9a-fA-F]{40}$/.test(address)) return false
      const link = this.querySelector('a')
      link?.setAttribute('aria-label', `Account ${address.slice(0, 6)}…${address.slice(-4)} ${balance}`)
      const shown = document.createElement('span')
      shown.className = 'mono'
      shown.textContent = `${address.slice(0, 6)}…${address.slice(-4)}`
      link?.replaceChildren(shown, balance && `\u2002${balance}`)
      return true
    } catch {
      return false
    }
  }
}

customElements.define('insitu-account', AccountButton)
