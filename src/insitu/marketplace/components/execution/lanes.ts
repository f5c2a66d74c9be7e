import type { ExecutionView } from 'insitu'
import { h, svg } from '../../elements/dom.js'
import { took } from '../../elements/figures.js'
import { small, span } from '../../elements/parts.js'

/** A phase as it is drawn. */
export interface Lane {
  readonly phase: string
  readonly stage: number | undefined
  /** Milliseconds after the first phase. */
  readonly from: number
  readonly took: number
  /** `ran`: the algorithm ran. `failed`: the execution ended here without success. */
  readonly kind: 'ran' | 'failed' | 'other'
}

const ENDED = ['Succeeded', 'Failed', 'Stopped']
const AHEAD = ['Configuring', 'Executing', 'Reviewing', 'Publishing'] as const
/** Units of the drawing, and the least that can be seen. */
const WIDTH = 1000
const LEAST = 5

/** Return the phases of an execution; the last one goes on until `now` if it has not ended. */
export function lanesOf({ history }: Pick<ExecutionView, 'history'>, now: number): readonly Lane[] {
  const began = Date.parse(history[0]?.at ?? '')
  const last = history.at(-1)
  const hasFailed = last !== undefined && ENDED.includes(last.phase) && last.phase !== 'Succeeded'
  const lanes = history.filter(({ phase }) => !ENDED.includes(phase))
  return lanes.map((entry, at): Lane => {
    const next = history[history.indexOf(entry) + 1]
    const [start, end] = [Date.parse(entry.at), next === undefined ? now : Date.parse(next.at)]
    const ran = entry.phase === 'Executing' ? 'ran' : 'other'
    const kind = hasFailed && at === lanes.length - 1 ? 'failed' : ran
    const times = { from: Math.max(0, start - began), took: Math.max(0, end - start) }
    return { phase: entry.phase, stage: entry.stage ?? undefined, ...times, kind }
  })
}

/** Return the phases that follow the last one if nothing fails. */
export function phasesAhead({ history, phase, stages }: ExecutionView): readonly string[] {
  if (ENDED.includes(phase)) return []
  const stage = history.at(-1)?.stage ?? 0
  const isLast = stage >= Math.max(0, ...stages.map(({ index }) => index))
  const from = AHEAD.indexOf(phase as (typeof AHEAD)[number])
  return isLast || from > 1 ? AHEAD.slice(from + 1) : ['the next stage', 'Reviewing', 'Publishing']
}

/** Return the phases as a table; its last column is drawn to scale and adds nothing for who does not see it. */
export function lanesView(execution: ExecutionView, now: number): HTMLElement {
  const lanes = lanesOf(execution, now)
  const whole = Math.max(1, ...lanes.map(lane => lane.from + lane.took))
  const ahead = phasesAhead(execution)
  const head = [
    h('th', { scope: 'col' }, 'Phase'),
    h('th', { scope: 'col', class: 'num opt' }, 'Began at'),
    h('th', { scope: 'col', class: 'num' }, 'Took'),
    h('th', { scope: 'col', class: 'lane' }, span('hide', 'Drawn to scale')),
  ]
  return h(
    'table',
    { class: 'lanes' },
    h('caption', { class: 'hide' }, ahead.length > 0 ? 'Phases so far' : 'Phases with their times'),
    h('thead', {}, h('tr', {}, head)),
    h(
      'tbody',
      {},
      lanes.map(lane => rowOf(lane, whole)),
      ahead.map(aheadRow),
    ),
    ahead.length === 0 &&
      h(
        'tfoot',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, 'In all'),
          h('td', { class: 'opt' }),
          h('td', { class: 'num' }, took(whole)),
          h('td'),
        ),
      ),
  )
}

function rowOf({ phase, stage, from, took: length, kind }: Lane, whole: number): HTMLElement {
  const width = Math.max(LEAST, (length / whole) * WIDTH)
  const x = Math.min((from / whole) * WIDTH, WIDTH - width)
  const bar = svg('rect', { x: x.toFixed(1), y: 2, width: width.toFixed(1), height: 10 })
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} 14`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, bar)
  return h(
    'tr',
    { class: { ran: 'x', failed: 'f', other: undefined }[kind] },
    h('th', { scope: 'row' }, phase, stage !== undefined && small(`stage ${stage}`)),
    h('td', { class: 'num opt' }, `${(from / 1000).toFixed(2)} s`),
    h('td', { class: 'num' }, took(length)),
    h('td', { class: 'lane' }, drawing),
  )
}

function aheadRow(phase: string, at: number): HTMLElement {
  return h(
    'tr',
    { class: 'soft' },
    h('th', { scope: 'row', class: 'soft' }, phase),
    h('td', { class: 'opt' }),
    h('td', { class: 'num soft' }, at === 0 ? 'next' : 'then'),
    h('td'),
  )
}
