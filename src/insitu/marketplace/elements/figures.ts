/** Times, states and facts, as the pages of executions and agreements show them. */
import { type Child, h } from './dom.js'
import { duration } from './words.js'

/** Return milliseconds for people: `3 ms`, `1.44 s`, `3 min 12 s`. */
export function took(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < 99.5) return `${Math.round(ms)} ms`
  return ms < 59_995 ? `${(ms / 1000).toFixed(2)} s` : duration(ms / 1000)
}

/** Return how long it is until a moment: `in 23 h`; undefined if it has passed. */
export function until(text: string, now: number): string | undefined {
  const left = Date.parse(text) - now
  if (!(left > 0)) return undefined
  if (left < 3_600_000) return `in ${Math.ceil(left / 60_000)} min`
  return left < 2 * 86_400_000 ? `in ${Math.round(left / 3_600_000)} h` : `in ${Math.round(left / 86_400_000)} days`
}

/** A state: a sign that the stylesheet draws, and a word. */
export function mark(kind: 'ok' | 'go' | 'no' | 'wait' | 'off', ...words: readonly Child[]): HTMLElement {
  return h('span', { class: `st ${kind}` }, words)
}

/** Labels and values; a value that is undefined is left out with its label. */
export function facts(rows: readonly (readonly [label: string, value: Child])[]): HTMLElement {
  const known = rows.filter(([, value]) => value !== undefined)
  return h(
    'dl',
    { class: 'facts' },
    known.map(([label, value]) => h('div', {}, h('dt', {}, label), h('dd', {}, value))),
  )
}
