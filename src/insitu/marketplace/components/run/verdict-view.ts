/** Beside the form: whether it may run, what it costs, who is paid, and what a failure costs. */
import type { Verdict, VerdictReason } from 'insitu'
import { sameAddress } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { problemNote } from '../../elements/problem.js'
import { address, counted, duration, plain, time } from '../../elements/words.js'
import { nearly, paid } from './form-view.js'
import { rulesOf } from './plan.js'
import type { Allowed } from './purchase.js'
import type { RunActions, RunState } from './state.js'

export function verdictView(state: RunState): HTMLElement {
  const { judgement } = state
  const label = 'Verdict and price'
  const who = state.inputs.length > 1 ? 'Verdict of all owners’ rules' : 'Verdict of the owner’s rules'
  return h(
    'div',
    { class: 'verdict beside', id: 'verdict', role: 'status', 'aria-label': label },
    h('p', { class: 'label' }, who),
    ...(judgement.is === 'known'
      ? knownView(judgement.verdict, state, judgement.at)
      : [h('p', { class: 'big' }, h('span', { class: `st ${SIGNS[judgement.is]}` }, WORDS[judgement.is]))]),
    judgement.is === 'failed' && problemNote(judgement.error),
    judgement.is === 'open' &&
      h('p', { class: 'small' }, 'Choose what runs. Nothing is signed or published by looking.'),
  )
}

const WORDS = { open: 'Not asked yet', asked: 'Comparing', failed: 'Not known' } as const
const SIGNS = { open: 'off', asked: 'wait', failed: 'no' } as const

function knownView(verdict: Verdict, state: RunState, at: number): Child[] {
  return verdict.allowed ? allowedView(verdict, state, at) : refusedView(verdict.reasons, state, at)
}

function allowedView({ cost, quote }: Allowed, state: RunState, at: number): Child[] {
  const nameOf = (receiver: string) => {
    const owned = state.inputs.filter(input => sameAddress(input.owner, receiver)).map(input => input.name)
    return owned.length > 0 ? `owner of ${owned.join(' and ')}` : `server “${plain(cost.server.serverId ?? '', 60)}”`
  }
  const rows = cost.receivers.map((receiver, position) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, nameOf(receiver), h('small', {}, address(receiver))),
      h('td', { class: 'num' }, inOneLine(cost.amounts[position] ?? 0n, state)),
    ),
  )
  const rules = rulesOf(state.inputs)
  const use = state.inputs.flatMap(input => (input.policy.use ? [`“${plain(input.policy.use, 300)}”`] : []))
  const free = `After the first success each further run is free until the agreement ends, ${duration(quote.timeout)} after
    you buy; ${counted(rules.maxExecutions, 'run')} at most.`
  const failed =
    rules.failures === 'free'
      ? 'A failed run costs nothing; then run again.'
      : 'A failed run costs nothing now; then run again. If none succeeds until the agreement ends, the price is due.'
  return [
    h('p', { class: 'big' }, h('span', { class: 'st ok' }, 'Allowed')),
    h('p', { class: 'label' }, 'Price of the agreement'),
    h('p', { class: 'big' }, cost.total === 0n ? 'Nothing' : nearly(cost.total, state)),
    rows.length > 0 &&
      h(
        'table',
        {},
        h('caption', { class: 'hide' }, 'Who is paid'),
        h('tbody', {}, ...rows),
        h(
          'tfoot',
          {},
          h('tr', {}, h('th', { scope: 'row' }, 'Exactly'), h('td', { class: 'num' }, inOneLine(cost.total, state))),
        ),
      ),
    h('p', { class: 'small' }, failed, ' ', free),
    rules.revisions !== 'none' && h('p', { class: 'small' }, REVISIONS[rules.revisions]),
    use.length > 0 && h('p', { class: 'small' }, `For this use only: ${use.join(' ')}`),
    h('p', { class: 'small soft' }, 'Compared with the documents and the chain: ', time(at), '.'),
  ]
}

function inOneLine(baseUnits: bigint, state: RunState): string {
  return paid(baseUnits, state).replaceAll(' ', '\u00a0')
}

const REVISIONS = {
  untilSuccess: 'You may correct your script until it succeeds once, for no further price.',
  always: 'You may run other versions of your script for no further price.',
} as const

/** Say data sets of the page by their names. */
function inNames(message: string, { inputs }: RunState): string {
  return plain(
    inputs.reduce((text, { did, name }) => text.replaceAll(did, `“${name}”`), message),
    400,
  )
}

function refusedView(reasons: readonly VerdictReason[], state: RunState, at: number): Child[] {
  return [
    h('p', { class: 'big' }, h('span', { class: 'st no' }, 'Refused')),
    ...reasons.slice(0, 5).map(reason => {
      const { what } = adviceFor(reason)
      return h('p', {}, h('b', {}, what), ' ', h('span', { class: 'small' }, inNames(reason.message, state)))
    }),
    h('p', { class: 'label' }, 'Price'),
    h('p', { class: 'big' }, 'Nothing to buy'),
    h('p', { class: 'small' }, 'Nothing was signed or charged. Changing the form checks again.'),
    h(
      'p',
      { class: 'small soft' },
      'Code ',
      h('code', {}, plain(reasons[0]?.code ?? '', 60)),
      '. Checked ',
      time(at),
      '.',
    ),
  ]
}

const ADVICE: Readonly<Record<string, readonly [what: string, next: string]>> = {
  AlgorithmNotAllowed: [
    'The owner does not allow this algorithm.',
    'Choose an algorithm that the rules name, or send the owner the name and the source of yours and ask to have it added.',
  ],
  AlgorithmOutdated: [
    'There is a newer version of this algorithm.',
    'Choose the algorithm again, so that its current version runs.',
  ],
  ConsumerNotAllowed: [
    'The owner does not sell to this account.',
    'Ask the owner to add the address of your account to the rules.',
  ],
  ImageNotAllowed: ['The owner does not allow this image.', 'Choose one of the images in the form.'],
  ManualReviewNotSupported: [
    'The rules ask for a review by people.',
    'This provider cannot do that yet: choose other data, or ask the owner.',
  ],
  PolicyNotUnderstood: [
    'The rules have a part that this provider does not understand.',
    'Ask the owner, or try again after an update of the provider.',
  ],
  NoSuitableServer: ['No server is large enough.', 'Choose another server, or another workflow.'],
}

function adviceFor(reason: VerdictReason): { readonly what: string; readonly next: string } {
  const [what, next] = ADVICE[reason.code] ?? [
    'A rule does not allow it.',
    'Read the reason, and ask the owner of the data, or choose something else.',
  ]
  return { what, next }
}

/** In place of what would be signed: what to do if it may not run. */
export function nextView(reasons: readonly VerdictReason[], state: RunState, actions: RunActions): HTMLElement {
  const isNamed = reasons.some(reason => reason.code === 'AlgorithmNotAllowed') && state.algorithms.length > 0
  const choose = () => actions.change({ what: 'algorithm' })
  const button = h('button', { class: 'btn', type: 'button', onclick: choose }, 'Choose a published algorithm')
  const advice = [...new Set(reasons.map(reason => adviceFor(reason).next))]
  return h(
    'section',
    { id: 'next', 'aria-labelledby': 'next-title' },
    h('h2', { id: 'next-title' }, 'What to do next'),
    h('ol', { class: 'cards' }, ...advice.map(next => h('li', {}, h('p', { class: 'text' }, next)))),
    isNamed && state.form.what !== 'algorithm' && h('p', {}, button),
    h(
      'p',
      { class: 'text' },
      h('a', { href: '/search' }, 'Look for other data'),
      ', or read ',
      h('a', { href: '/help' }, 'how rules work'),
      '.',
    ),
  )
}
