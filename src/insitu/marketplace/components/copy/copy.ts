/** A button that copies `data-text`. It exists only where scripts run, so nobody sees a button that does nothing. */
class Copy extends HTMLElement {
  connectedCallback(): void {
    const { text = '', what = 'it' } = this.dataset
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'copy'
    button.ariaLabel = `Copy ${what}`
    button.textContent = 'Copy'
    button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(text)
        button.textContent = 'Copied'
        button.ariaLabel = `Copied ${what}`
      } catch {
        button.textContent = 'Select it to copy'
      }
    }
    this.replaceChildren(button)
  }
}

customElements.define('insitu-copy', Copy)
