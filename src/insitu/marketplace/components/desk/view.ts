import type { ExecutionView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { mark } from '../../elements/figures.js'
import { missingNotes } from '../../elements/lists.js'
import { a, b, button, div, p, section, small, table } from '../../elements/parts.js'
import { problemNote, problemOf } from '../../elements/problem.js'
import { address, amount, bytes, counted, duration, id, moment, nameOf, plain } from '../../elements/words.js'
import { rulesOf } from '../execution/left.js'
import { goingOn, outcomeMark, whyNothingLeft } from '../execution/outcome.js'
import { hasEnded } from '../execution/state.js'
import { assetsSections } from './assets-view.js'
import { type DeskState, type Left, leftSince, type Proof, type Ran, sumOf } from './state.js'

/** Return the desk: what runs now, what left, the money, and what is offered. */
export function deskView(state: DeskState): readonly Child[] {
  const { items, error } = state
  const running = items?.filter(one => !hasEnded(one)) ?? []
  const ended = items?.filter(hasEnded) ?? []
  return [
    h('h1', {}, 'Desk'),
    p('text', 'What runs on your data, what left, and what it earned. ', address(state.address)),
    error !== undefined && problemNote(error),
    missingNotes(state),
    readingNote(state),
    items && sumsView(state, running),
    items?.length === 0 && state.reading === undefined && emptyNote(),
    running.length > 0 &&
      section(
        'now',
        'Running now',
        h(
          'ol',
          { class: 'cards' },
          running.map(one => runningView(one, state)),
        ),
      ),
    ended.length > 0 && section('past', 'What left', pastTable(ended, state)),
    state.hasMore && p('', button('btn', 'more', 'Show earlier runs')),
    assetsSections(state),
  ]
}

function sumsView(state: DeskState, running: readonly ExecutionView[]): Child {
  const { token, figures } = state
  const { received, payments, escrow, waiting } = sumOf(state)
  const left = leftSince(state)
  const queued = running.filter(({ phase }) => phase === 'Registered').length
  const sums: readonly (readonly [string, string, string, boolean])[] = [
    ['Running now', String(running.length), queued > 0 ? `${queued} of them in the queue` : '', running.length === 0],
    ['Left in 30 days', left ? bytes(left.bytes) : '…', leftWords(left), !left?.bytes],
    [
      'Received in 30 days',
      received === 0n ? '0' : amount(received, token),
      counted(payments, 'payment'),
      received === 0n,
    ],
    ['In escrow for you', escrow === 0n ? '0' : amount(escrow, token), counted(waiting, 'agreement'), escrow === 0n],
  ]
  const [since] = [...figures.values()].map(one => one.since)
  return [
    h(
      'dl',
      { class: 'sum' },
      sums.map(([label, sum, of, isNil]) =>
        div('', h('dt', {}, label), h('dd', { class: isNil && 'nil' }, sum, small(of))),
      ),
    ),
    since &&
      h(
        'details',
        { class: 'plain small' },
        h('summary', {}, 'What these sums count'),
        p(
          'text',
          `Left: files and log text of the runs that are listed here and ended since ${moment(since)} UTC, by their verified receipts. Received: your part of every charge that was settled on chain since then, for runs at the gateways of this page. In escrow for you: your part of the prices that are locked in agreements and of which nothing was paid yet. It becomes yours with the first success; otherwise it may go back to the consumer, so it is not income. Both amounts are what the gateways remember; the chain decides, and the balance in your wallet is the proof.`,
        ),
      ),
  ]
}

/** Which data set the runs are of, if one was asked for, and the way back. */
function readingNote({ reading, assets, items }: DeskState): Child {
  if (reading === undefined) return undefined
  const name = nameOf(assets?.find(({ did }) => did === reading)?.name, reading)
  const said = items?.length === 0 ? 'Nothing has run on ' : 'These are the runs on '
  return div(
    'note',
    p('', said, a(`/assets/${reading}`, name), '.'),
    p('', a('/desk', 'Show all runs'), '. The amounts in tokens count all of them.'),
  )
}

function leftWords(left: Left | undefined): string {
  if (left === undefined) return ''
  const unproved = left.unproved > 0 && `${left.unproved} not proved`
  const part = left.isPart && 'earlier ones are not loaded'
  return [`in ${counted(left.runs, 'run')}`, unproved, part].filter(Boolean).join(', ')
}

function emptyNote(): HTMLElement {
  return div(
    'note',
    p('', b('Nothing has run on data of this account.')),
    p('', a('/publish', 'Offer a data set'), ': it stays where it is, and you decide what may run and what may leave.'),
    p(
      '',
      'Do you look for what you bought or ran yourself? See ',
      a('/agreements', 'agreements'),
      ' and ',
      a('/executions', 'executions'),
      '. Another account? Choose it in your wallet.',
    ),
  )
}

function runningView(execution: ExecutionView, state: DeskState): HTMLElement {
  const { workflowExecutionId, serviceAgreementId, workflowDid, names, consumer, did, phase } = execution
  const around = state.around.get(workflowDid)
  const title = nameOf(names?.[workflowDid], 'Execution')
  const algorithms = around?.algorithms.map(one => ({ did: one, checksum: execution.versions?.[one] })) ?? []
  const data = around?.data ?? [{ did, name: nameOf(names?.[did], did) }]
  const rows: readonly (readonly [string, Child])[] = [
    ['On', data.map((one, at) => [at > 0 && ', ', a(`/assets/${one.did}`, nameOf(one.name, one.did))])],
    ['Consumer', address(consumer)],
    ['Algorithm', algorithms.length > 0 ? algorithms.map(one => ranView(one, execution, state)) : '–'],
    ['Has left', [b('Nothing'), small(around ? `at its end ${rulesOf(around.rules)}` : 'until its end')]],
  ]
  return h(
    'li',
    { id: workflowExecutionId },
    h(
      'h3',
      {},
      a(`/executions/${serviceAgreementId}/${workflowExecutionId}`, title),
      mark(phase === 'Registered' ? 'wait' : 'go', goingOn(execution), timeOf(execution, state)),
    ),
    h(
      'dl',
      { class: 'across' },
      rows.map(([label, value]) => div('', h('dt', {}, label), h('dd', {}, value))),
    ),
    execution.actions.includes('stop') && stopView(execution, title, state),
  )
}

/** Time used of the limit. */
function timeOf({ startedAt, workflowDid }: ExecutionView, { around, now }: DeskState): string {
  if (!startedAt) return ''
  const used = duration(Math.floor(Math.max(0, now - Date.parse(startedAt)) / 1000))
  const most = around.get(workflowDid)?.longest
  return `, ${used}${most === undefined ? '' : ` of ${duration(most)}`}`
}

function stopView(
  { workflowExecutionId, serviceAgreementId }: ExecutionView,
  title: string,
  { doing }: DeskState,
): Child {
  const isBusy = doing?.what === workflowExecutionId
  const yes = isBusy ? 'Stopping…' : 'Yes, stop it now'
  const given = { 'data-agreement': serviceAgreementId, 'data-execution': workflowExecutionId }
  const now = { class: 'btn stop', type: 'button', 'data-act': 'stop', ...given, disabled: isBusy }
  return div(
    'stopper',
    h(
      'details',
      { class: 'plain' },
      h('summary', { class: 'btn stop', 'aria-label': `Stop ${title}` }, 'Stop…'),
      p('', h('button', { ...now, 'aria-label': `${yes}: ${title}` }, yes)),
    ),
    p(
      'small soft',
      'Ends it at once. Nothing leaves, and the consumer pays nothing for it. The receipt will say that an owner stopped it. The consumer may start again while the agreement lasts; pause the data set to prevent that.',
    ),
  )
}

function ranView({ did, checksum }: Ran, { names }: ExecutionView, { versions }: DeskState): Child {
  const number = versions.get(`${did} ${checksum}`)
  const version = number === undefined ? checksum && ['version ', id(checksum)] : `version ${number}`
  return [a(`/assets/${did}`, nameOf(names?.[did], 'Algorithm')), small(version)]
}

function pastTable(ended: readonly ExecutionView[], state: DeskState): HTMLElement {
  const heads = ['Ended', 'Algorithm', 'Consumer', 'Outcome', 'Left', 'You got', 'Receipt']
  const rows = ended.map(one => pastRow(one, state))
  return h(
    'div',
    { class: 'scroll', role: 'region', 'aria-label': 'Table of ended executions', tabindex: 0 },
    table('Ended executions on your data', heads, ['Left', 'You got'], rows),
  )
}

function pastRow(execution: ExecutionView, state: DeskState): HTMLElement {
  const {
    workflowExecutionId,
    serviceAgreementId,
    workflowDid,
    did,
    names,
    consumer,
    endedAt,
    createdAt,
    phase,
    reason,
  } = execution
  const proof = state.proofs.get(workflowExecutionId) ?? { kind: 'checking' }
  const title = nameOf(names?.[workflowDid], 'Execution')
  const ran = 'algorithms' in proof ? proof.algorithms : []
  const why = reason && reason.message !== '' ? plain(reason.message, 300) : whyNothingLeft(execution)
  const at = endedAt ?? createdAt
  return h(
    'tr',
    { id: workflowExecutionId },
    h(
      'td',
      { class: 'when' },
      a(`/executions/${serviceAgreementId}/${workflowExecutionId}`, h('time', { datetime: at }, moment(at))),
    ),
    h(
      'th',
      { scope: 'row', class: 'fullw' },
      title,
      ran.map(one => h('small', {}, ranView(one, execution, state))),
      small('on ', a(`/assets/${did}`, nameOf(names?.[did], did))),
    ),
    h('td', {}, address(consumer)),
    h('td', {}, outcomeMark(execution), phase !== 'Succeeded' && small(why)),
    h('td', { class: 'num', 'data-l': 'left' }, leftOf(proof)),
    h('td', { class: 'num', 'data-l': 'you got' }, gotOf(proof, state, phase)),
    h('td', {}, receiptOf(proof, execution, title)),
  )
}

function leftOf(proof: Proof): Child {
  if (proof.kind === 'checking') return '…'
  if (proof.kind === 'broken') return b('not proved')
  const log = proof.logBytes > 0 && small(`and ${bytes(proof.logBytes)} of log`)
  return proof.files === 0 ? [b('nothing'), log] : [b(bytes(proof.bytes)), small(counted(proof.files, 'file')), log]
}

function gotOf(proof: Proof, { token }: DeskState, phase: string): Child {
  if (!('got' in proof)) return '–'
  if (proof.got === 0n) return '0'
  if (proof.kind === 'waits' && phase !== 'Succeeded')
    return ['0', small(`${amount(proof.got, token)} if no run succeeds`)]
  return [amount(proof.got, token), proof.kind === 'waits' && small('not settled yet')]
}

function receiptOf(proof: Proof, { workflowExecutionId }: ExecutionView, title: string): Child {
  if (proof.kind === 'checking') return h('small', { class: 'soft' }, 'being verified')
  if (proof.kind === 'broken')
    return [mark('no', 'Does not hold'), h('small', { role: 'alert' }, problemOf(proof.error)?.what ?? '')]
  const given = { class: 'link', type: 'button', 'data-act': 'receipt', 'data-execution': workflowExecutionId }
  return [
    mark(proof.kind === 'holds' ? 'ok' : 'wait', proof.kind === 'holds' ? 'Holds' : 'Not on chain yet'),
    h('br'),
    h('button', { ...given, 'aria-label': `Receipt of ${title}` }, 'Receipt'),
  ]
}
