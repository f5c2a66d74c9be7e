import type { AgreementView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { mark, until } from '../../elements/figures.js'
import { missingNotes } from '../../elements/lists.js'
import { a, b, button, div, p, small, span } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import type { Token } from '../../elements/site.js'
import { address, amount, id, moment, nameOf, plain } from '../../elements/words.js'
import { type AgreementsState, type Bought, failedOf, isOpen, lockedOf } from './state.js'

/** Return the list of what an account bought. */
export function agreementsView(state: AgreementsState): readonly Child[] {
  const { items: agreements, now } = state
  const open = agreements?.filter(({ agreement }) => isOpen(agreement, now)) ?? []
  const ended = agreements?.filter(({ agreement }) => !isOpen(agreement, now)) ?? []
  return [
    h('h1', {}, 'Agreements'),
    p('text', 'What you bought, what is left of it, and where the money is. ', address(state.address)),
    state.error !== undefined && problemNote(state.error),
    missingNotes(state),
    agreements?.length === 0 && emptyNote(),
    open.length > 0 && listSection('open', 'Open', open, state),
    ended.length > 0 && listSection('ended', 'Ended', ended, state),
    state.hasMore && p('', button('btn', 'more', 'Show older agreements')),
  ]
}

function emptyNote(): HTMLElement {
  return div(
    'note',
    p('', b('This account has not bought anything yet.')),
    p('', a('/search', 'Find data'), ', read its rules, and look at verdict and price; that signs nothing.'),
    p('', 'Bought with another account? Choose it in your wallet. This page follows the account, without a reload.'),
  )
}

function listSection(key: string, title: string, list: readonly Bought[], state: AgreementsState): HTMLElement {
  const items = list.map(bought =>
    h('li', { id: `agreement-${bought.agreement.serviceAgreementId}` }, cardView(bought, state.token, state.now, true)),
  )
  return h(
    'section',
    { 'aria-labelledby': key, id: `${key}-list` },
    h('h2', { id: key }, title),
    h('ol', { class: 'cards' }, items),
  )
}

/** Return an agreement: its state, five numbers, and one sentence on the money. */
export function cardView(bought: Bought, token: Token, now: number, isListed: boolean): readonly Child[] {
  const { agreement, name, executions } = bought
  const link = `/agreements/${agreement.serviceAgreementId}`
  const last = executions[0]
  const canRun = ['granted', 'settled'].includes(agreement.status) && agreement.executionsLeft > 0
  const again = agreement.status === 'settled' ? 'Run again, free' : executions.length > 0 ? 'Run again' : 'Run'
  const runs = last && `/executions/${agreement.serviceAgreementId}/${last.workflowExecutionId}`
  return [
    isListed && h('h3', {}, a(link, nameOf(name, 'Agreement')), statusMark(bought)),
    isListed && p('meta', span('', 'Agreement ', id(agreement.serviceAgreementId))),
    numbersView(bought, token, now),
    p('text small', moneySentence(bought, token)),
    p(
      'row',
      canRun &&
        h(
          'button',
          { class: 'btn first', type: 'button', 'data-act': 'again', 'data-agreement': agreement.serviceAgreementId },
          again,
        ),
      !canRun &&
        !isOpen(agreement, now) &&
        h('a', { class: 'btn', href: `/run?on=${encodeURIComponent(agreement.did)}` }, 'Buy again'),
      isListed && runs && h('a', { class: 'btn', href: runs }, last.phase === 'Failed' ? 'Why it failed' : 'Last run'),
      isListed && canRun && h('a', { class: 'btn', href: `${link}#nightly` }, 'Run every night'),
    ),
  ]
}

/** Return the state of an agreement in a word. */
export function statusMark(bought: Bought): HTMLElement {
  const failed = failedOf(bought)
  const { status } = bought.agreement
  if (status === 'granted') return failed > 0 ? mark('no', `${failed} failed`) : mark('ok', 'Granted')
  const [kind, words] = STATUS[status]
  return mark(kind, words)
}

const STATUS: Readonly<Record<AgreementView['status'], readonly ['ok' | 'no' | 'wait' | 'off' | 'go', string]>> = {
  created: ['wait', 'Waiting for the grant'],
  sent: ['wait', 'Waiting for the grant'],
  granted: ['ok', 'Granted'],
  settled: ['ok', 'Paid'],
  expired: ['off', 'Ended'],
  closing: ['go', 'Closing'],
  closed: ['off', 'Closed'],
  refused: ['no', 'Refused'],
  declined: ['no', 'Not granted'],
  refunded: ['off', 'Refunded'],
  lost: ['no', 'Lost by the chain'],
}

function numbersView({ agreement, bought }: Bought, token: Token, now: number): HTMLElement {
  const { executions, executionsLeft, endsAt, charged, returned } = agreement
  const locked = lockedOf(agreement)
  const whole = bought ?? executions + executionsLeft
  const left = endsAt ? until(endsAt, now) : undefined
  const ends = endsAt
    ? [left ? moment(endsAt) : 'ended', small(left ? `UTC, ${left}` : `${moment(endsAt)} UTC`)]
    : 'after the grant'
  const sums: readonly (readonly [string, Child, boolean])[] = [
    ['Runs left', [String(executionsLeft), small(`of ${whole}`)], false],
    ['Until', ends, endsAt === null || endsAt === undefined],
    ['Locked', locked === undefined ? '–' : locked === 0n ? '0' : amount(locked, token), !locked],
    ['Charged', charged === 0n ? '0' : amount(charged, token), charged === 0n],
    ['Back to you', returned === 0n ? '0' : amount(returned, token), returned === 0n],
  ]
  return h(
    'dl',
    { class: 'sum money' },
    sums.map(([label, value, isNil]) => div('', h('dt', {}, label), h('dd', { class: isNil && 'nil' }, value))),
  )
}

/** Return where the money is and what happens to it next, in a sentence or two. */
export function moneySentence(bought: Bought, token: Token): string {
  const { agreement, refundFrom } = bought
  const { status, charged, executions } = agreement
  const why = agreement.reason?.message ? ` ${sentence(agreement.reason.message)}` : ''
  const from = refundFrom === undefined ? 'when its time is over' : `from ${moment(refundFrom)} UTC on`
  const failed = failedOf(bought)
  switch (status) {
    case 'created':
    case 'sent':
      return `The provider is to grant it soon.${why} If it does not, you can take the money back ${from}.`
    case 'granted':
      if (agreement.price === 0n) return 'It costs nothing.'
      if (executions === 0)
        return 'Nothing ran yet. The first success is charged; until then the money waits in escrow.'
      if (failed === 0) return 'No run has ended with a success yet. The first success is charged.'
      return 'No run succeeded yet, so nothing is charged now. If none does until then, the provider may settle with the receipt of a failed one.'
    case 'settled':
      return agreement.executionsLeft > 0
        ? 'Paid by its first success. Each further run is free until then.'
        : 'Paid by its first success. Nothing more can run.'
    case 'expired':
      return `Nothing can begin any more. What the provider does not settle in time comes back to you, ${from}.`
    case 'closing':
      return 'You closed it. Nothing begins any more, and the provider is sending the money back.'
    case 'closed':
      return charged > 0n
        ? `It was closed early. ${amount(charged, token)} were charged for runs that failed, and the rest came back.`
        : 'It was closed early, and the whole price came back.'
    case 'refused':
      return `The provider refused it, and the whole price came back.${why}`
    case 'declined':
      return `The provider does not grant it.${why} You can take the price back ${from}.`
    case 'refunded':
      return charged > 0n ? 'What was not charged came back.' : `The whole price came back.${why}`
    case 'lost':
      return `The chain no longer knows the payment.${why} Ask the provider, and keep the agreement’s id.`
  }
}

function sentence(text: string): string {
  const shown = plain(text, 300).trim()
  return `${shown.charAt(0).toUpperCase()}${shown.slice(1)}${/[.!?…]$/.test(shown) ? '' : '.'}`
}
