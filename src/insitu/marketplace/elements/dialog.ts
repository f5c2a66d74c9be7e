/** Windows of the page that ask a person something. */
import { type Child, h, replaceChildren } from './dom.js'

/** What a window shows, and how it ends. */
export interface Question<T> {
  /** Show this in the window from now on. */
  show(...children: readonly Child[]): void
  answer(value: T): void
  fail(error: unknown): void
}

/**
 * Open a window over the page, and return what the person answers. Escape, and whoever aborts, close it without an answer.
 *
 * @param begin - shows the first view; what it returns is called when the window closes
 * @throws DOMException `AbortError` if it is closed
 */
export async function ask<T>(
  label: string,
  begin: (question: Question<T>) => (() => void) | undefined,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted()
  const dialog = h('dialog', { class: 'ask', 'aria-label': label })
  document.body.append(dialog)
  let end: (() => void) | undefined
  const aborted = new AbortController()
  try {
    return await new Promise<T>((resolve, reject) => {
      const fail = (error: unknown) => reject(error)
      signal?.addEventListener('abort', () => fail(signal.reason), { signal: aborted.signal })
      dialog.addEventListener('close', () => fail(new DOMException(`${label}: closed`, 'AbortError')))
      end = begin({ show: (...children) => replaceChildren(dialog, ...children), answer: resolve, fail })
      dialog.showModal()
    })
  } finally {
    aborted.abort()
    end?.()
    dialog.close()
    dialog.remove()
  }
}
