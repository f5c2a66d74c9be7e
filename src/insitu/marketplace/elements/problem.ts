/** What went wrong, as a note: what happened, why, what to do next, and the code to quote. */
import { isInsituError } from 'insitu/domain'
import { type Child, h } from './dom.js'
import { plain } from './words.js'

/** What a note says. */
export interface Problem {
  /** Empty if the error has none. */
  readonly code: string
  /** What happened, in a sentence. */
  readonly what: string
  readonly nextStep: string
  /** The person decided it, and nothing is wrong. */
  readonly isDecision: boolean
}

/** Return what there is to say about an error; undefined if a call was cancelled, which nobody needs to hear. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof DOMException && error.name === 'AbortError') return undefined
  if (!isInsituError(error)) {
    const what = `The page has met an error that it does not know: ${plain(String(error), 200)}`
    return { code: '', what, nextStep: 'Reload the page. What was signed before is found again.', isDecision: false }
  }
  if (error.code === 'RejectedByUser') {
    const what = 'You said no in the wallet, so nothing more was signed.'
    return { code: error.code, what, nextStep: 'Ask again whenever you like.', isDecision: true }
  }
  return { code: error.code, what: sentence(error.detail), nextStep: sentence(error.nextStep), isDecision: false }
}

/** Return the note of an error, or nothing. */
export function problemNote(error: unknown, ...more: readonly Child[]): HTMLElement | undefined {
  const problem = problemOf(error)
  if (problem === undefined) return undefined
  const { code, what, nextStep, isDecision } = problem
  return h(
    'div',
    { class: isDecision ? 'note' : 'note no', role: isDecision ? 'status' : 'alert' },
    h('p', {}, h('b', {}, what)),
    nextStep && h('p', {}, nextStep),
    !isDecision && code && h('p', { class: 'small soft' }, 'Code ', h('code', {}, plain(code, 60))),
    ...more,
  )
}

function sentence(text: string): string {
  const shown = plain(text, 600).trim()
  if (shown === '') return ''
  return `${shown.charAt(0).toUpperCase()}${shown.slice(1)}${/[.!?…]$/.test(shown) ? '' : '.'}`
}
