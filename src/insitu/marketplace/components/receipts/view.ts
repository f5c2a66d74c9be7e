import type { VerifiedReceipt } from 'insitu/verify'
import { type Child, h } from '../../elements/dom.js'
import { facts, mark } from '../../elements/figures.js'
import { b, button, code, div, p, section, span } from '../../elements/parts.js'
import type { Token } from '../../elements/site.js'
import { address, amount, bytes, counted, grouped, id, plain, time } from '../../elements/words.js'
import { inWords } from './checks.js'
import type { Checked } from './read.js'

/** All that the page of receipts shows. */
export interface ReceiptsState {
  /** Undefined until a file was chosen. */
  readonly checked?: Checked | undefined
  readonly isReading?: boolean
  readonly isOver?: boolean
  /** The chain whose token is known here, and that token: a receipt states base units. */
  readonly chainId: number
  readonly token: Token
}

type Predicate = VerifiedReceipt['statement']['predicate']

/** Return the page of receipts. */
export function receiptsView(state: ReceiptsState): readonly Child[] {
  const { checked, isReading } = state
  if (isReading) return [h('h1', {}, 'Receipts'), h('p', { class: 'text soft', role: 'status' }, 'Checking…')]
  if (checked?.kind === 'holds') return receiptView(state, checked)
  return [
    h('h1', {}, 'Receipts'),
    p(
      'text',
      'Whoever has a receipt can check it: consumer, owner, anybody. Choose its file, or drop it here. It is checked in this page and never sent anywhere; this page may not call any server at all.',
    ),
    checked && refusedNote(checked),
    chooser(state, 'Choose a receipt'),
  ]
}

function refusedNote({ name, why, next }: Extract<Checked, { kind: 'refused' }>): HTMLElement {
  return h(
    'div',
    { class: 'note no', role: 'alert' },
    p('', b(plain(why, 400))),
    next && p('', plain(next, 400)),
    p('small soft', plain(name, 120)),
  )
}

function chooser({ isOver }: ReceiptsState, label: string): HTMLElement {
  return h(
    'form',
    { class: 'noprint', 'aria-label': label },
    h(
      'div',
      { class: isOver ? 'field drop over' : 'field drop' },
      h('label', { for: 'receipt-file' }, label),
      h('p', { class: 'hint', id: 'receipt-hint' }, 'The file does not leave this browser.'),
      h('input', {
        id: 'receipt-file',
        type: 'file',
        accept: '.json,application/json',
        'aria-describedby': 'receipt-hint',
      }),
    ),
  )
}

function receiptView(state: ReceiptsState, { found, checked }: Extract<Checked, { kind: 'holds' }>): readonly Child[] {
  const { predicate } = found.statement
  return [
    h('h1', {}, 'Receipt'),
    h(
      'p',
      { class: 'line', role: 'status' },
      mark('ok', `All ${checked.length} checks hold`),
      span('soft', 'checked in this page, without asking anybody'),
    ),
    p('lead', leadOf(predicate, state)),
    div(
      'split',
      div('', statesSection(predicate, state), checksSection(checked), limitsSection()),
      asideView(state, found),
    ),
  ]
}

/** Return in one sentence what was signed. */
export function leadOf(predicate: Predicate, state: Pick<ReceiptsState, 'chainId' | 'token'>): string {
  const { outcome, output, charge } = predicate
  const how = { Succeeded: 'succeeded within the owners’ rules', Failed: 'failed', Stopped: 'was stopped' }[outcome]
  const left =
    output === undefined ? 'that nothing left' : `that ${bytes(output.bytes)} in ${counted(output.files, 'file')} left`
  return `The provider signed that this run ${how}, ${left}, and that it costs ${costOf(charge, predicate, state)}. Not a word of it can be changed without a check failing.`
}

function costOf(
  { amount: charge, rule }: Predicate['charge'],
  { agreement }: Predicate,
  { chainId, token }: Pick<ReceiptsState, 'chainId' | 'token'>,
): string {
  if (charge === 0n) return rule === 'ifNoneSucceeds' ? 'nothing now' : 'nothing'
  return agreement.chainId === chainId && token.symbol !== '' ? amount(charge, token) : `${grouped(charge)} base units`
}

const RULES = {
  full: 'a success is charged once',
  ifNoneSucceeds: 'its price may be charged if no run of the agreement succeeds in time',
  never: 'an end like this is never charged',
} as const

function statesSection(predicate: Predicate, state: ReceiptsState): HTMLElement {
  const { phases, stages, outcome, reason, output, policy, charge, agreement, workflowDid, number, software } =
    predicate
  const [first, last] = [phases[0], phases.at(-1)]
  const data = [...new Set(stages.flatMap(stage => stage.inputs.map(input => input.did)))].filter(
    did => did !== undefined,
  )
  const { types, maxBytes, maxFiles } = policy.output
  const limits = `${types ? `${types.map(type => plain(type, 40)).join(', ')}; ` : ''}${bytes(maxBytes)} in ${counted(maxFiles, 'file')} at most`
  const sealed = Object.entries(software.enforcement).map(([limit, by]) => `${plain(limit, 40)}: ${plain(by, 60)}`)
  const left =
    output === undefined
      ? b('Nothing')
      : [
          b(`${grouped(output.bytes)} bytes in ${counted(output.files, 'file')}`),
          ', as the asset ',
          id(output.resultDid),
          ' of ',
          address(agreement.terms.consumer),
        ]
  return section(
    'says',
    'What the provider states',
    facts([
      [
        'Ran',
        [
          id(workflowDid),
          `, in ${counted(stages.length, 'stage')}, `,
          first ? time(first.at, 'second') : '',
          last && [' to ', time(last.at, 'second')],
          `; run number ${number} of its agreement.`,
        ],
      ],
      ['Outcome', [b(outcome), reason && [`: ${plain(reason.message, 300)} `, code(plain(reason.code, 60))]]],
      ['On', data.map((did, at) => [at > 0 && ', ', id(did)])],
      ['Parameters', parametersOf(predicate)],
      ['Allowed', policy.verdict.allowed ? `by the owners’ rules; ${limits}` : 'not allowed by the owners’ rules'],
      ['Left', left],
      ['Sealed by', sealed.length > 0 ? sealed.join('; ') : undefined],
      ['Used', usedOf(predicate)],
      ['Charged', [b(costOf(charge, predicate, state)), `: ${RULES[charge.rule]}`]],
    ]),
  )
}

function parametersOf(predicate: Predicate): Child {
  if (!('parameters' in predicate)) return undefined
  const given = Object.entries(predicate.parameters).flatMap(([stage, values]) =>
    Object.entries(values).map(([name, value]) => `stage ${stage}: ${plain(name, 60)} ${plain(String(value), 120)}`),
  )
  return given.length > 0 ? given.map(line => [code(line), h('br')]) : undefined
}

function usedOf({ stages }: Predicate): Child {
  const used = stages.flatMap(({ index, usage: { wallSeconds, peakMemoryBytes } }) => {
    const parts = [
      wallSeconds !== undefined && `${Number(wallSeconds).toFixed(2)} s`,
      peakMemoryBytes !== undefined && `${Math.round(peakMemoryBytes / 1e6)} MB memory`,
    ].filter(Boolean)
    return parts.length > 0 ? [`stage ${index}: ${parts.join(', ')}`] : []
  })
  return used.length > 0 ? used.join('; ') : undefined
}

function checksSection(checked: readonly string[]): HTMLElement {
  const rows = checked.map(check => {
    const [statement, how] = inWords(check)
    return h('tr', {}, h('th', { scope: 'row' }, mark('ok', statement)), h('td', {}, how))
  })
  const head = h('tr', {}, h('th', { scope: 'col' }, 'Statement'), h('th', { scope: 'col' }, 'Proved by'))
  const table = h('table', {}, h('caption', { class: 'hide' }, 'Checks'), h('thead', {}, head), h('tbody', {}, rows))
  return section('checks', 'What was checked, and how', table)
}

function limitsSection(): HTMLElement {
  return section(
    'not',
    'What it does not prove',
    p(
      'text',
      'That the statement is true. It is the provider’s word, given so that it cannot be taken back or changed. Compare it with what you know: the consumer with the files, the owner with the data, anybody by running the algorithm again.',
    ),
    p(
      'text',
      'A receipt names its own provider, so anyone can sign one: compare the account beside with the one that you trust. Whether the chain has its hash is a question to the chain, which this page does not ask.',
    ),
  )
}

function asideView(
  state: ReceiptsState,
  { statement: { predicate }, signer, receiptHash }: VerifiedReceipt,
): HTMLElement {
  const { agreement, workflowExecutionId, software } = predicate
  return h(
    'aside',
    { class: 'side', 'aria-label': 'Ids' },
    p('row noprint', button('btn first', 'save', 'Save receipt.json'), button('btn', 'print', 'Print')),
    facts([
      ['Hash', id(receiptHash)],
      ['Signed by', id(signer)],
      ['Agreement', id(agreement.serviceAgreementId)],
      ['Execution', id(workflowExecutionId)],
      ['Consumer', id(agreement.terms.consumer)],
      ['Contract', id(agreement.contract)],
      ['Chain', String(agreement.chainId)],
      [
        'Software',
        plain(`${software.name} ${software.version}${software.runtime ? `, ${software.runtime}` : ''}`, 120),
      ],
    ]),
    p('small', 'Compare it with the chain yourself:', h('br'), code('insitu verify receipt.json --on-chain')),
    chooser(state, 'Check another receipt'),
  )
}
