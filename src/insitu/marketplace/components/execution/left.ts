import type { ResultFile } from 'insitu'
import { type Child, h, svg } from '../../elements/dom.js'
import { mark } from '../../elements/figures.js'
import { b, div, p, small, span, table } from '../../elements/parts.js'
import { problemOf } from '../../elements/problem.js'
import { bytes, counted, id, plain, time } from '../../elements/words.js'
import { isShowable, previewView } from '../result/preview.js'
import { type ExecutionState, hasEnded, type Result, type Rules } from './state.js'

/** Units of the drawing, and the least that can be seen. */
const WIDTH = 1240
const LEAST = 3

/** Return what stayed and what left, to scale, and the files. */
export function leftView(state: ExecutionState): HTMLElement {
  const { execution, result } = state
  const heading = h('h2', { id: 'left' }, 'What left')
  if (!hasEnded(execution)) return h('section', { 'aria-labelledby': 'left' }, heading, soonText(state))
  if (execution.phase !== 'Succeeded') {
    const nothing = p('text', b('Nothing.'), ' Containers and volumes of this run are removed.')
    return h('section', { 'aria-labelledby': 'left' }, heading, nothing)
  }
  return h(
    'section',
    { 'aria-labelledby': 'left' },
    heading,
    result ? resultView(state, result) : p('text soft', 'The list of files is on its way.'),
  )
}

function soonText({ surroundings }: ExecutionState): HTMLElement {
  const rules = surroundings === undefined ? '' : `: ${rulesOf(surroundings.rules)}`
  const whose = (surroundings?.data.length ?? 1) > 1 ? 'the owners’ rules' : 'the owner’s rules'
  const text = `Nothing yet. After the last stage the output is compared with ${whose}${rules}. If one rule is broken, nothing leaves.`
  return p('text', text)
}

/** Return rules for output in words: `csv, png and log files, 1.0 MB in 10 files at most`. */
export function rulesOf({ types, maxBytes, maxFiles }: Rules): string {
  const kinds = types === undefined ? 'any files' : `${listed(types.map(type => plain(type, 40)))} files`
  const most = [
    maxBytes === undefined ? undefined : bytes(maxBytes),
    maxFiles === undefined ? undefined : counted(maxFiles, 'file'),
  ]
  const known = most.filter(limit => limit !== undefined)
  return known.length === 0 ? kinds : `${kinds}, ${known.join(' in ')} at most`
}

/** Return words as a list: `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function resultView(state: ExecutionState, result: Result): Child {
  const { files } = result
  const left = files.reduce((sum, file) => sum + file.size, 0)
  return [
    wallView(state, left, files.length),
    files.length === 0 ? p('text', 'No file left.') : filesTable(result),
    files.length > 0 && !result.isExpired && keptRow(result),
    leftOutText(state.execution.leftOut),
    files.map(file => result.previews[file.index]).map(preview => preview && previewView(preview)),
  ]
}

function wallView({ surroundings }: ExecutionState, left: number, count: number): Child {
  const data = surroundings?.data ?? []
  const stayed = data.every(one => one.bytes !== undefined)
    ? data.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
    : undefined
  const rules = surroundings?.rules
  const most = [
    rules?.maxBytes === undefined ? '' : bytes(rules.maxBytes),
    rules?.maxFiles === undefined ? '' : counted(rules.maxFiles, 'file'),
  ]
  const whose = data.length > 1 ? 'within all owners’ rules' : 'within the owner’s rules'
  const wall = div(
    'wall',
    div(
      '',
      p('label', data.length > 1 ? 'Stayed with the owners' : 'Stayed with the owner'),
      p('big', stayed === undefined ? 'Everything' : bytes(stayed)),
      p('small', data.length > 0 ? `${counted(data.length, 'data set')}, opened read-only` : 'opened read-only'),
    ),
    div(
      '',
      p('label', 'Left, as a new asset of yours'),
      p('big', count === 0 ? 'Nothing' : `${bytes(left)} in ${counted(count, 'file')}`),
      p('small', most[0] || most[1] ? `of at most ${most.filter(Boolean).join(' in ')} ` : '', mark('ok', whose)),
    ),
  )
  return [wall, stayed !== undefined && stayed > 0 && scaleView(stayed, left)]
}

function scaleView(stayed: number, left: number): SVGElement {
  const share = left / (stayed + left)
  const width = left === 0 ? 0 : Math.min(WIDTH - LEAST, Math.max(LEAST, share * WIDTH))
  const percent = share > 0 && share < 0.0001 ? 'less than 0.01' : (share * 100).toFixed(2)
  return svg(
    'svg',
    {
      class: 'scale',
      viewBox: `0 0 ${WIDTH} 12`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `Drawn to scale: what left is ${percent} per cent of all`,
    },
    svg('rect', { width: Math.max(0, WIDTH - width - 2), height: 12 }),
    width > 0 ? svg('rect', { class: 'out', x: WIDTH - width, width, height: 12 }) : undefined,
  )
}

function filesTable(result: Result): HTMLElement {
  const action = h('th', { scope: 'col' }, span('hide', 'Download'))
  const rows = result.files.map(file => fileRow(file, result))
  return table('Files that left', ['File', 'Size', action], ['Size'], rows)
}

function fileRow(file: ResultFile, result: Result): HTMLElement {
  const name = plain(file.name, 200)
  return h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row', class: 'fullw' },
      span('mono', name),
      small('SHA-256 ', id(file.sha256)),
      transferText(file, result),
    ),
    h('td', { class: 'num' }, bytes(file.size)),
    h('td', { class: 'num' }, !result.isExpired && fileActions(file, name, result)),
  )
}

function fileActions(file: ResultFile, name: string, { transfers, previews }: Result): Child {
  if (transfers[file.index]?.kind === 'flowing') return undefined
  const show = isShowable(file) && previews[file.index] === undefined
  return [
    show &&
      h(
        'button',
        { class: 'link', type: 'button', 'data-act': 'show', 'data-file': file.index, 'aria-label': `Show ${name}` },
        'Show',
      ),
    ' ',
    h(
      'button',
      {
        class: 'link',
        type: 'button',
        'data-act': 'download',
        'data-file': file.index,
        'aria-label': `Download ${name}`,
      },
      'Download',
    ),
  ]
}

function transferText(file: ResultFile, { transfers }: Result): Child {
  const transfer = transfers[file.index]
  if (transfer === undefined) return undefined
  if (transfer.kind === 'whole') return small('Its hash was compared while it came, and is the one above.')
  if (transfer.kind === 'flowing') return small(`${bytes(transfer.received)} of ${bytes(file.size)}`)
  return h('small', { role: 'alert' }, `Not saved. ${problemOf(transfer.error)?.what ?? ''}`)
}

function keptRow({ files, expiresAt, transfers }: Result): HTMLElement {
  const isBusy = Object.values(transfers).some(transfer => transfer.kind === 'flowing')
  const label = files.length === 1 ? 'Download the file' : `Download all ${files.length} files`
  return p(
    'row',
    h('button', { class: 'btn first', type: 'button', 'data-act': 'download-all', disabled: isBusy }, label),
    expiresAt !== undefined && span('small soft', 'Kept until ', time(expiresAt), '. The asset itself stays.'),
  )
}

function leftOutText(leftOut: number): Child {
  if (leftOut === 0) return undefined
  return p('text small', `${counted(leftOut, 'file')} had a name that the owner’s rules do not let out, and stayed.`)
}
