declare global {
  interface HTMLElementTagNameMap {
    /** Where a log stands in a page: its content is its own. */
    'insitu-place': HTMLElement
    'insitu-lines': HTMLElement
  }
}

export {}
