import type { ExecutionView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { facts, mark, took } from '../../elements/figures.js'
import { a, awayNote, b, button, code, div, p, section, span } from '../../elements/parts.js'
import { problemNote, problemOf } from '../../elements/problem.js'
import { counted, duration, id, moment, nameOf, plain, time } from '../../elements/words.js'
import { inWords } from '../receipts/checks.js'
import { lanesView } from './lanes.js'
import { leftView, listed } from './left.js'
import { costOf, ruleOf } from './money.js'
import { goingOn, outcomeMark, whyNothingLeft } from './outcome.js'
import { type ExecutionState, hasEnded, type Receipt } from './state.js'

/** Return the page of an execution. While it runs the log comes first, when it failed the reason, and else what left. */
export function executionView(state: ExecutionState): readonly Child[] {
  const { execution } = state
  const log = section('log', 'Log', h('insitu-place'))
  const phases = section('phases', 'Phases', lanesView(execution, state.now))
  const left = leftView(state)
  const isOver = hasEnded(execution)
  const failed = isOver && execution.phase !== 'Succeeded'
  const [first, rest] = failed
    ? [[reasonNote(state)], [phases, log, left]]
    : isOver
      ? [[left], [phases, log]]
      : [[log], [phases, left]]
  const key = failed ? 'failed' : isOver ? 'succeeded' : 'running'
  return [
    p(
      'crumb',
      a('/agreements', 'Agreements'),
      ' / ',
      a(`/agreements/${execution.serviceAgreementId}`, 'Agreement'),
      ' / Execution',
    ),
    h('h1', {}, nameOf(execution.names?.[execution.workflowDid], 'Execution')),
    headLine(state),
    state.error !== undefined && problemNote(state.error),
    state.isAway && awayNote(),
    h('div', { class: 'split three', id: key }, div('', first), asideView(state), div('rest', rest)),
  ]
}

function headLine(state: ExecutionState): HTMLElement {
  const { execution, now, surroundings } = state
  const { startedAt, endedAt } = execution
  const copied = span('', id(execution.workflowExecutionId))
  if (hasEnded(execution)) {
    const length = endedAt ? Date.parse(endedAt) - Date.parse(execution.createdAt) : undefined
    return h(
      'p',
      { class: 'line', role: 'status' },
      outcomeMark(execution),
      endedAt && time(endedAt, 'second'),
      length !== undefined && span('', `took ${took(length)}`),
      copied,
    )
  }
  const ran = startedAt ? now - Date.parse(startedAt) : undefined
  const limit = surroundings?.longest === undefined ? '' : ` of at most ${duration(surroundings.longest)}`
  const passed = h(
    'span',
    { 'aria-hidden': 'true' },
    ran === undefined ? '' : `${duration(Math.floor(Math.max(0, ran) / 1000))}${limit}`,
  )
  return h(
    'p',
    { class: 'line', role: 'status' },
    mark(isWaiting(execution) ? 'wait' : 'go', goingOn(execution)),
    passed,
    copied,
  )
}

function isWaiting({ phase }: ExecutionView): boolean {
  return phase === 'Registered'
}

function reasonNote(state: ExecutionState): HTMLElement {
  const { execution, agreement } = state
  const { reason, phase } = execution
  const cause = reason?.code ?? ''
  const known = whyNothingLeft(execution)
  const left =
    agreement && agreement.executionsLeft > 0 && agreement.endsAt
      ? `${counted(agreement.executionsLeft, 'run')} left until ${moment(agreement.endsAt)} UTC.`
      : ''
  return h(
    'div',
    { class: phase === 'Stopped' ? 'note' : 'note no' },
    p('', b(known)),
    reason && reason.message !== '' && p('', sentence(reason.message)),
    reason &&
      p(
        '',
        b('What to do next:'),
        ' ',
        sentence(reason.nextStep || 'look at phases and log, correct the script, and run again'),
        ' ',
        left,
      ),
    reason && p('small soft', 'Code ', code(plain(cause, 60))),
  )
}

function sentence(text: string): string {
  const shown = plain(text, 600)
  return `${shown.charAt(0).toUpperCase()}${shown.slice(1)}${/[.!?…]$/.test(shown) ? '' : '.'}`
}

function asideView(state: ExecutionState): HTMLElement {
  const { execution } = state
  const cost = costOf(state)
  const money = [p('label', cost.label), p('big', cost.amount), p('small', cost.sentence)]
  if (!hasEnded(execution))
    return h(
      'aside',
      { class: 'side beside', 'aria-label': 'Money and stop' },
      money,
      stopView(state),
      factsView(state),
    )
  const receipt = receiptView(state.receipt)
  const failed = execution.phase !== 'Succeeded'
  const parts = failed ? [money, againView(state), receipt] : [receipt, money, againView(state)]
  return h('aside', { class: 'side beside', 'aria-label': 'Receipt and money' }, parts, factsView(state))
}

function stopView(state: ExecutionState): Child {
  const { execution, agreement, isStopping } = state
  if (!execution.actions.includes('stop')) return undefined
  const again =
    agreement?.endsAt && agreement.executionsLeft > 0 ? ` You can run again until ${moment(agreement.endsAt)} UTC.` : ''
  const isPaid = agreement?.status === 'settled'
  const rule = ruleOf({
    ...state,
    execution: { ...execution, phase: 'Stopped', reason: { code: 'StoppedByConsumer', message: '', nextStep: '' } },
  })
  const later =
    isPaid || rule === 'never'
      ? 'You are charged nothing.'
      : 'You are charged nothing now; if no run succeeds in time, the provider may settle with the receipt of this one.'
  return h(
    'details',
    { class: 'plain' },
    h('summary', { class: 'btn stop full' }, 'Stop this run…'),
    p('small', `It ends at once and nothing leaves. ${later}${again}`),
    p(
      '',
      h(
        'button',
        { class: 'btn stop full', type: 'button', 'data-act': 'stop', disabled: isStopping === true },
        isStopping ? 'Stopping…' : 'Stop it now',
      ),
    ),
  )
}

function againView({ execution, agreement }: ExecutionState): Child {
  if (execution.role !== 'consumer' || agreement === undefined) return undefined
  const failed = execution.phase !== 'Succeeded'
  if (agreement.executionsLeft === 0) {
    return p(
      'small',
      a(`/run?on=${encodeURIComponent(execution.did)}`, 'Buy again'),
      ', because no run is left of this agreement.',
    )
  }
  const until = agreement.endsAt ? ` until ${moment(agreement.endsAt)}` : ''
  const label = agreement.status === 'settled' ? `Run again, free${until}` : 'Run again'
  return [
    p('', h('button', { class: failed ? 'btn first full' : 'btn full', type: 'button', 'data-act': 'again' }, label)),
    failed &&
      p(
        'small',
        a(`/agreements/${execution.serviceAgreementId}#revise`, 'Correct the script'),
        ' and run it under the same agreement.',
      ),
  ]
}

function receiptView(receipt: Receipt | undefined): Child {
  const label = p('label', 'Receipt')
  if (receipt === undefined || receipt.kind === 'checking')
    return [label, h('p', { class: 'small soft', role: 'status' }, 'It is being verified in this page.')]
  if (receipt.kind === 'broken') {
    const problem = problemOf(receipt.error)
    return [
      label,
      p('big', mark('no', 'Does not hold')),
      h('p', { class: 'small', role: 'alert' }, problem?.what ?? '', ' ', problem?.nextStep ?? ''),
    ]
  }
  const chain = receipt.kind === 'holds' ? 'its hash is on chain.' : 'the chain has no hash of it yet.'
  return [
    label,
    p('big', mark('ok', `${receipt.checked.length} checks hold`)),
    p('small', `Signed by the provider; ${chain} `, button('link', 'receipt', 'Read or print the receipt')),
    h(
      'details',
      { class: 'plain' },
      h('summary', {}, 'What was checked'),
      h(
        'ul',
        { class: 'small' },
        receipt.checked.map(check => h('li', {}, b(inWords(check)[0]), '. ', inWords(check)[1])),
      ),
    ),
  ]
}

function factsView({ execution, surroundings }: ExecutionState): HTMLElement {
  const { number, serviceAgreementId, workflowExecutionId, did, names, resultDid, stages, workflowDid } = execution
  const data = surroundings?.data ?? [{ did, name: nameOf(names?.[did], did) }]
  const images = [...new Set(stages.map(stage => stage.image))].filter(Boolean)
  return facts([
    [
      'Execution',
      [id(workflowExecutionId), h('br'), h('small', { class: 'soft' }, `number ${number} of its agreement`)],
    ],
    ['Agreement', a(`/agreements/${serviceAgreementId}`, id(serviceAgreementId))],
    ['On', data.flatMap((one, at) => [at > 0 && ', ', a(`/assets/${one.did}`, nameOf(one.name, one.did))])],
    ['Workflow', a(`/assets/${workflowDid}`, id(workflowDid))],
    ['Server', surroundings?.server === undefined ? undefined : plain(surroundings.server, 120)],
    [
      images.length > 1 ? 'Images' : 'Image',
      images.length > 0 ? images.map(image => [code(plain(image, 120)), h('br')]) : undefined,
    ],
    ['Used', usedOf(execution)],
    ['Result', resultDid ? a(`/assets/${resultDid}`, id(resultDid)) : undefined],
  ])
}

/** What each stage took, where the owner's rules show it. */
function usedOf({ stages }: ExecutionView): Child {
  const known = stages.flatMap(({ index, usage: { cpuSeconds, peakMemoryBytes }, exitCode }) => {
    const parts = [
      typeof cpuSeconds === 'number' && `${cpuSeconds.toFixed(2)} s of processor`,
      typeof peakMemoryBytes === 'number' && `${Math.round(peakMemoryBytes / 1e6)} MB of memory`,
      typeof exitCode === 'number' && exitCode !== 0 && `exit code ${exitCode}`,
    ].filter(part => part !== false)
    return parts.length > 0 ? [[stages.length > 1 ? `stage ${index}: ` : '', listed(parts), h('br')] as Child] : []
  })
  return known.length > 0 ? known : undefined
}
