import { type Child, h } from '../../elements/dom.js'
import { button, code, div, p } from '../../elements/parts.js'
import { counted, grouped, plain } from '../../elements/words.js'
import type { Line } from './lines.js'

/** What a reader sees of a log. */
export interface LogState {
  /** `hidden`: the owner's rules keep it. `waiting`: nothing was printed yet. */
  readonly kind: 'hidden' | 'waiting' | 'live' | 'complete'
  readonly lines: readonly Line[]
  /** Positions of the lines that contain what is searched; undefined if nothing is. */
  readonly found: readonly number[] | undefined
  readonly query: string
  /** The stage whose lines are shown; undefined for all. */
  readonly stage?: number | undefined
  readonly follow: boolean
  /** The connection is gone and is tried again. */
  readonly isBroken?: boolean
}

/** Lines of a chunk: the browser lays out those chunks that are on the screen. */
export const CHUNK = 500

/** Characters of a line that are shown; a download has all of them. */
const WIDEST = 2000

/** Return what stands around the lines: controls, the empty list, and a sentence that is read out when it changes. */
export function logView(state: LogState): readonly HTMLElement[] {
  if (state.kind === 'hidden') {
    const why =
      'The owner’s policy keeps the log, because a log line is output too. You see phases, times and the outcome.'
    return [p('text', 'Not shown. ', why)]
  }
  const live = state.kind !== 'complete'
  return [
    div(
      'log',
      h(
        'form',
        { class: 'bar', 'aria-label': 'Log' },
        h('label', { for: 'log-search', class: 'hide' }, 'Search the log'),
        h('input', {
          id: 'log-search',
          type: 'search',
          placeholder: 'Search the log',
          value: state.query,
          autocomplete: 'off',
        }),
        stagesOf(state),
        live &&
          h(
            'label',
            { class: 'tick' },
            h('input', { type: 'checkbox', id: 'log-follow', checked: state.follow }),
            'Follow',
          ),
        button('link', 'first', 'First line'),
        button('link', 'last', 'Last line'),
        button('link', 'download', 'Download'),
      ),
      h(
        'pre',
        { tabindex: 0, role: 'region', 'aria-label': `Log, ${counted(state.lines.length, 'line')}` },
        h('insitu-lines'),
      ),
    ),
    h('p', { class: 'small soft', role: 'status' }, sentenceOf(state)),
  ]
}

/** Of several stages, one can be chosen. */
function stagesOf({ lines, stage }: LogState): HTMLElement | undefined {
  const stages = [...new Set(lines.map(line => line.stage))]
  if (stages.length < 2) return undefined
  const options = stages.map(one => h('option', { value: one, selected: one === stage }, `Stage ${one}`))
  const all = h('option', { value: '', selected: stage === undefined }, 'All stages')
  return h('select', { id: 'log-stage', 'aria-label': 'Stage' }, all, ...options)
}

/** Return the sentence under a log. It counts; lines are never read out by themselves. */
export function sentenceOf({ kind, lines, found, isBroken }: LogState): string {
  const stages = new Set(lines.map(line => line.stage)).size > 1 ? ' The first column is the stage.' : ''
  if (found !== undefined) return `${grouped(found.length)} of ${counted(lines.length, 'line')} match.${stages}`
  if (isBroken)
    return `${counted(lines.length, 'line')}. The provider does not answer; this page tries again, and loses nothing.`
  if (kind === 'complete')
    return lines.length === 0
      ? 'Nothing was printed, or it is no longer kept.'
      : `${counted(lines.length, 'line')}, complete.${stages}`
  if (lines.length === 0) return 'Nothing was printed yet.'
  return `${counted(lines.length, 'line')} so far.${stages} New lines are counted here, not read out.`
}

/**
 * Return a chunk of a log: one text for all of its lines, so that 100,000 lines are a few hundred nodes. The stylesheet
 * draws line numbers and stages beside it; they are not selected with the text.
 *
 * @param at - positions of the lines
 */
export function chunkOf(lines: readonly Line[], at: readonly number[], query: string): HTMLElement {
  const shown = at.map(position => lines[position]).filter(line => line !== undefined)
  const texts = shown.map(line => (line.notice ? `— ${visible(line.text)}` : visible(line.text)))
  const numbers = at.map(position => grouped(position + 1)).join('\n')
  const stages = shown.map(line => line.stage).join('\n')
  const chunk = h(
    'div',
    { class: 'chunk', 'data-n': numbers, 'data-stage': stages },
    code(marked(texts.join('\n'), query)),
  )
  chunk.style.setProperty('--lines', String(at.length))
  return chunk
}

/** What cannot be seen is shown by its number, colours of a terminal are left out, and a line has an end. */
function visible(text: string): string {
  return plain(text.replace(/\x1b\[[0-9;]*m/g, '').replaceAll('\t', '    '), WIDEST)
}

function marked(text: string, query: string): Child {
  if (query === '') return text
  const [lower, wanted] = [text.toLowerCase(), query.toLowerCase()]
  if (lower.length !== text.length) return text
  const parts: Child[] = []
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), h('mark', {}, text.slice(at, at + wanted.length)))
    from = at + wanted.length
  }
  return [...parts, text.slice(from)]
}
