/** Every state of a log. */
import { h, replaceChildren } from '../../elements/dom.js'
import type { Line } from './lines.js'
import { chunkOf, type LogState, logView } from './view.js'

/** Return a log as it stands in a page, without what listens. */
export function logGallery(state: LogState): HTMLElement {
  const host = h('div', {})
  replaceChildren(host, ...logView(state))
  const at = state.found ?? state.lines.map((_, position) => position)
  if (at.length > 0) host.querySelector('insitu-lines')?.append(chunkOf(state.lines, at, state.query))
  return host
}

const lines: readonly Line[] = [
  { stage: 0, text: 'read 336,776 flights' },
  { stage: 0, text: '\u001b[31mred\u001b[0m <b>not bold</b> \u202egnp.exe \u0007\u200b' },
  { stage: 0, text: `${'a long line '.repeat(300)}end` },
  { stage: 1, text: 'the owner lets no more out', notice: true },
]
const base: LogState = { kind: 'live', lines, found: undefined, query: '', follow: true }

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries({
    waiting: { ...base, kind: 'waiting', lines: [] },
    live: base,
    complete: { ...base, kind: 'complete', follow: false },
    'complete and empty': { ...base, kind: 'complete', lines: [] },
    searched: { ...base, query: 'flights', found: [0] },
    'one stage': { ...base, stage: 1, found: [3] },
    'nothing found': { ...base, query: 'nowhere', found: [] },
    'provider away': { ...base, isBroken: true },
    hidden: { ...base, kind: 'hidden' },
  } satisfies Record<string, LogState>).map(([name, state]) => [
    name,
    () => h('section', { class: 'page' }, h('h1', {}, 'Log'), logGallery(state)),
  ]),
)
