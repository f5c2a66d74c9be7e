import type { Closing, ExecutionView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { took } from '../../elements/figures.js'
import { a, awayNote, code, p, section, small, span, table } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import type { Token } from '../../elements/site.js'
import { amount, counted, id, nameOf, plain, time } from '../../elements/words.js'
import { type Bought, isOpen } from '../agreements/state.js'
import { cardView, statusMark } from '../agreements/view.js'
import { goingOn, outcomeMark } from '../execution/outcome.js'
import { hasEnded } from '../execution/state.js'

/** All that the page of an agreement shows. */
export interface AgreementState {
  readonly bought: Bought
  readonly token: Token
  readonly now: number
  /** What closing costs now, once somebody asked. */
  readonly closing?: Closing | undefined
  /** A sentence for each step of a correction. */
  readonly revising?: string | undefined
  readonly isBusy?: boolean
  /** The provider does not answer, and is asked again. */
  readonly isAway?: boolean
  readonly error?: unknown
}

/** Return the page of an agreement. */
export function agreementView(state: AgreementState): readonly Child[] {
  const { bought, token, now, error } = state
  const { agreement, name } = bought
  const canRun = ['granted', 'settled'].includes(agreement.status) && agreement.executionsLeft > 0
  return [
    p('crumb', a('/agreements', 'Agreements'), ' / Agreement'),
    h('h1', {}, nameOf(name, 'Agreement')),
    p(
      'line',
      statusMark(bought),
      span('', id(agreement.serviceAgreementId)),
      span('', a(`/assets/${agreement.did}`, 'The data set')),
    ),
    error !== undefined && problemNote(error),
    state.isAway && awayNote(),
    cardView(bought, token, now, false),
    runsSection(bought),
    canRun && reviseSection(state),
    canRun && nightlySection(agreement.serviceAgreementId),
    isOpen(agreement, now) && agreement.status !== 'closing' && closeSection(state),
  ]
}

function runsSection({ executions, agreement }: Bought): HTMLElement {
  const empty = p('text', 'Nothing ran under this agreement yet.')
  const shown = executions.length === 0 ? empty : executionsTable(executions, false)
  const more = agreement.executions > executions.length && executions.length > 0
  const note = more && p('small soft', `The newest ${executions.length} of ${counted(agreement.executions, 'run')}.`)
  return section('runs', 'Runs', shown, note)
}

/** Return executions as a table, newest first. */
export function executionsTable(executions: readonly ExecutionView[], isNamed: boolean): HTMLElement {
  const rows = executions.map(one => runRow(one, isNamed))
  return table('Runs, newest first', ['Run', 'State', 'Took', 'Began'], ['Took'], rows)
}

function runRow(execution: ExecutionView, isNamed: boolean): HTMLElement {
  const { number, serviceAgreementId, workflowExecutionId, workflowDid, names, createdAt, endedAt } = execution
  const title = isNamed ? nameOf(names?.[workflowDid], `Run ${number}`) : `Run ${number}`
  const link = a(`/executions/${serviceAgreementId}/${workflowExecutionId}`, title)
  const length = endedAt ? took(Date.parse(endedAt) - Date.parse(createdAt)) : '–'
  const state = hasEnded(execution) ? outcomeMark(execution) : span('st go', goingOn(execution))
  const why = execution.reason && small(plain(execution.reason.code, 60))
  return h(
    'tr',
    { id: workflowExecutionId },
    h('th', { scope: 'row', class: 'fullw' }, link, small(id(workflowExecutionId))),
    h('td', {}, state, why),
    h('td', { class: 'num', 'data-l': 'took' }, length),
    h('td', {}, time(createdAt, 'second')),
  )
}

function reviseSection({ revising, isBusy }: AgreementState): HTMLElement {
  return section(
    'revise',
    'Correct the script',
    p(
      'text',
      'Choose the corrected script. It is published as the next version of your algorithm, and runs under this agreement without being paid again, if the owners allow corrections. Data, server and price stay those that you bought.',
    ),
    h(
      'form',
      { class: 'field', 'data-act': 'revise' },
      h('label', { for: 'script' }, 'Corrected script'),
      h('input', { id: 'script', type: 'file', name: 'script', required: true }),
      p('row', h('button', { class: 'btn', disabled: isBusy === true }, 'Publish the correction and run it')),
      revising !== undefined && h('p', { class: 'small', role: 'status' }, revising),
    ),
  )
}

function nightlySection(agreement: string): HTMLElement {
  const line = `0 3 * * *  insitu run --agreement ${agreement} -o results/$(date +\\%F)`
  return section(
    'nightly',
    'Run every night',
    p(
      'text',
      'This line of a crontab runs it at three o’clock, with an account whose key is on that machine, and writes each result into a folder of its own.',
    ),
    h('pre', { tabindex: 0 }, code(line)),
  )
}

function closeSection({ closing, token, isBusy }: AgreementState): HTMLElement {
  const heading = h('h2', { id: 'close' }, 'Close it')
  if (closing === undefined) {
    return h(
      'section',
      { 'aria-labelledby': 'close' },
      heading,
      p(
        'text',
        'Closing ends the agreement early. It never costs more than waiting for its end, and nothing can run afterwards.',
      ),
      p(
        '',
        h(
          'button',
          { class: 'btn', type: 'button', 'data-act': 'preview-close', disabled: isBusy === true },
          'What comes back?',
        ),
      ),
    )
  }
  return h(
    'section',
    { 'aria-labelledby': 'close' },
    heading,
    closingText(closing, token),
    closing.status === 'open' && closeButton(closing, token, isBusy),
  )
}

function closingText({ status, charge, returned }: Closing, token: Token): HTMLElement {
  if (status === 'settled') return p('text', 'The price is paid by a success, so nothing is left to come back.')
  if (status !== 'open')
    return h('p', { class: 'text', role: 'status' }, 'It is closed, or about to be. Nothing begins any more.')
  const cost =
    charge === 0n
      ? 'Closing now costs nothing'
      : `Closing now costs ${amount(charge, token)}, as waiting for its end would, because runs failed`
  return h(
    'p',
    { class: 'text', role: 'status' },
    `${cost}, and ${amount(returned, token)} come back to you. Nothing can run afterwards.`,
  )
}

function closeButton({ charge, returned }: Closing, token: Token, isBusy = false): HTMLElement {
  const label =
    charge === 0n ? `Close it and get ${amount(returned, token)} back` : `Close it for ${amount(charge, token)}`
  return p('', h('button', { class: 'btn stop', type: 'button', 'data-act': 'close', disabled: isBusy }, label))
}
