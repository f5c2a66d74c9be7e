/** What is signed: each thing in one sentence, with the fields that the wallet shows, and where it stands. */
import type { TypedData } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { problemNote, problemOf } from '../../elements/problem.js'
import { address, duration, plain, plainLines } from '../../elements/words.js'
import { paid } from './form-view.js'
import { rulesOf } from './plan.js'
import type { Allowed } from './purchase.js'
import type { RunActions, RunState, Step } from './state.js'

const SIGNATURES = ['sign-in', 'publication', 'permit', 'terms']
const STATES = {
  'to come': ['', ''],
  waiting: ['wait', 'waiting'],
  done: ['ok', 'signed'],
  refused: ['no', 'refused'],
} as const

/** The last part of the page: what will be signed, or where signing stands, with the button that spends the price. */
export function signingView(verdict: Allowed, state: RunState, actions: RunActions): HTMLElement {
  const { phase, steps } = state
  const isSigning = phase === 'signing'
  const known = state.judgement.is === 'known' ? state.judgement : undefined
  const isShort = known !== undefined && known.held < verdict.cost.total
  const isKept = known?.allowance !== undefined && known.allowance < verdict.cost.total
  return h(
    'section',
    { id: 'sign', 'aria-labelledby': 'sign-title' },
    h('h2', { id: 'sign-title', tabindex: -1 }, isSigning ? titleOf(steps) : 'What you will sign'),
    !isSigning && h('p', { class: 'text' }, introduction(steps, state)),
    h('ol', { class: 'sign' }, ...steps.map((step, at) => stepView(step, at + 1, verdict, state))),
    state.error !== undefined && problemNote(state.error, startedNote(state)),
    isSigning && waitingNote(steps),
    isShort && !state.isBought
      ? shortNote(verdict, state)
      : isKept && !state.isBought && !isSigning
        ? allowanceNote(verdict, state, actions)
        : buttons(verdict, state, actions),
  )
}

function titleOf(steps: readonly Step[]): string {
  const waiting = steps.find(step => step.state === 'waiting')
  return waiting && SIGNATURES.includes(waiting.name) ? 'Waiting for your wallet' : 'The provider is at work'
}

function introduction(steps: readonly Step[], { isBought }: RunState): string {
  if (isBought) return 'You bought this before the page was loaded again. Nothing more is paid: go on, and it starts.'
  const count = steps.filter(step => ['publication', 'permit', 'terms'].includes(step.name)).length
  const times = count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`
  return `Your wallet opens ${times}, and once more to sign in if this tab has not. Nothing is bought before the terms are
    signed, and the wallet must show the same as here.`
}

function stepView(step: Step, number: number, verdict: Allowed, state: RunState): HTMLElement {
  const [sign, word] = STATES[step.state]
  const isSignature = SIGNATURES.includes(step.name)
  const isNew = isSignature && step.asks !== undefined
  const title = step.state !== 'done' || isNew ? word : isSignature ? 'done before' : 'done'
  const { name, text } = wordsOf(step, verdict, state)
  return h(
    'li',
    { id: `step-${step.name}`, 'aria-current': step.state === 'waiting' && 'step' },
    h('b', {}, String(number)),
    h(
      'div',
      {},
      h('h3', {}, name, ' ', sign && h('span', { class: `st ${sign}` }, title)),
      h('div', { class: 'text' }, h('p', {}, ...text)),
      fieldsView(step, verdict, state),
    ),
  )
}

interface Words {
  readonly name: string
  readonly text: readonly Child[]
}

function wordsOf({ name }: Step, verdict: Allowed, state: RunState): Words {
  const { quote, cost } = verdict
  const price = cost.total === 0n ? 'nothing' : paid(cost.total, state)
  const names = state.inputs.map(input => `“${input.name}”`).join(' and ')
  switch (name) {
    case 'sign-in':
      return {
        name: 'Sign in',
        text: ['A text that names this page and the provider. It costs nothing; a tab signs in once.'],
      }
    case 'publication':
      return { name: 'The registration', text: publicationText(state, quote.provider) }
    case 'permit':
      return {
        name: 'A permit',
        text: [
          'The escrow ',
          address(state.escrow),
          ' may take ',
          h('b', {}, `exactly ${price}`),
          ' from your account, once.',
        ],
      }
    case 'terms':
      return {
        name: 'The terms',
        text: [
          `It may run on ${names}, at most ${rulesOf(state.inputs).maxExecutions} times, for `,
          h('b', {}, duration(quote.timeout)),
          `, for ${price}. Whoever is named beside is paid, and nobody else. Not granted within `,
          `${duration(quote.grantTimeout)}: the money goes back. Not settled with a receipt within `,
          `${duration(quote.settleTimeout)} after the end: the same.`,
        ],
      }
    case 'send':
      return { name: 'The provider sends the purchase and grants it', text: ['It pays the gas.'] }
    default:
      return { name: 'The run starts', text: ['You see its phases and its log on the next page.'] }
  }
}

function publicationText({ form, account }: RunState, provider: string): Child[] {
  const script =
    form.what === 'script' ? `Your script “${plain(form.script?.name ?? '', 60)}” and a workflow` : 'A workflow'
  return [
    `${script} that runs it on this data are registered, with `,
    address(account),
    ' as creator and ',
    address(provider),
    ' as provider. That they exist is public forever; the script itself is sealed.',
  ]
}

/** Before the wallet is asked, what will be in the fields; while and after it is, exactly what it was asked. */
function fieldsView(step: Step, verdict: Allowed, state: RunState): Child {
  const text = step.asks === undefined ? expected(step, verdict, state) : askedText(step.asks)
  if (text === '') return undefined
  const label = step.asks === undefined ? 'The fields that the wallet will show' : 'The fields that the wallet shows'
  const pre = h('pre', { tabindex: 0, 'aria-label': label }, h('code', {}, text))
  return h('details', { class: 'plain', id: `fields-${step.name}` }, h('summary', {}, label), pre)
}

function expected({ name }: Step, { quote, cost }: Allowed, { account, escrow, gateway }: RunState): string {
  if (name === 'sign-in')
    return `${location.origin} wants you to sign in with your Ethereum account:\n${account}\n\nURI: ${plain(gateway, 120)}`
  if (name === 'permit')
    return table({
      owner: account,
      spender: escrow,
      value: cost.total,
      nonce: 'the next of your account',
      deadline: `${quote.deadlineSeconds} seconds after you press the button`,
    })
  if (name !== 'terms') return ''
  const { did, inputsHash, workflowDid, provider, serviceIndex, grantTimeout, timeout, settleTimeout } = quote
  return table({
    ...{
      seed: 'a random number of this tab',
      did,
      inputsHash,
      workflowId: workflowDid || 'the workflow that is registered',
    },
    ...{
      consumer: account,
      provider,
      serviceIndex,
      deadline: `${quote.deadlineSeconds} seconds after you press the button`,
    },
    ...{ grantTimeout, timeout, settleTimeout, amounts: cost.amounts.join(', '), receivers: cost.receivers.join(', ') },
  })
}

function askedText(asks: TypedData | string): string {
  return typeof asks === 'string' ? plainLines(asks) : `${plain(asks.primaryType, 60)}\n${table(asks.message)}`
}

function table(fields: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(fields).map(name => name.length))
  return Object.entries(fields)
    .map(([name, value]) => `${plain(name, 60).padEnd(width)}  ${plain(written(value), 4000)}`)
    .join('\n')
}

function written(value: unknown): string {
  if (typeof value !== 'object') return String(value)
  return JSON.stringify(value, (_, member: unknown) => (typeof member === 'bigint' ? member.toString() : member))
}

function waitingNote(steps: readonly Step[]): Child {
  const waiting = steps.find(step => step.state === 'waiting')
  if (waiting === undefined || !SIGNATURES.includes(waiting.name)) return undefined
  return h(
    'div',
    { class: 'note', role: 'status' },
    h(
      'p',
      {},
      h('b', {}, 'Nothing is bought yet. '),
      'Compare the wallet’s fields with these. No window? Open the wallet from the browser’s bar. Saying no there, or leaving this page, costs nothing.',
    ),
  )
}

function startedNote({ isBought, error, steps }: RunState): Child {
  if (isBought) return h('p', {}, 'The purchase itself is on chain. Going on pays nothing more.')
  const isSigned = steps.some(({ name, state }) => name === 'terms' && state === 'done')
  return problemOf(error)?.isDecision && !isSigned && h('p', {}, 'Nothing was bought.')
}

function shortNote({ cost }: Allowed, state: RunState): HTMLElement {
  const held = state.judgement.is === 'known' ? state.judgement.held : 0n
  return h(
    'div',
    { class: 'note no' },
    h('p', {}, h('b', {}, `Your account has ${paid(held, state)}, and the price is ${paid(cost.total, state)}.`)),
    h('p', {}, 'Get the missing tokens to this address, or use another account: ', address(state.account), '.'),
  )
}

/** A contract sends transactions in its own way, so what it has to allow is said with all that its owners need for it. */
function allowanceNote({ cost }: Allowed, state: RunState, { check }: RunActions): HTMLElement {
  const { escrow, token } = state
  return h(
    'div',
    { class: 'note no' },
    h('p', {}, h('b', {}, 'Your account is a contract, which cannot sign a permit. It first has to allow the price.')),
    h(
      'p',
      {},
      'Let it call ',
      h('code', {}, `approve(${escrow}, ${cost.total})`),
      ' of the token ',
      address(token?.address ?? ''),
      '. The escrow ',
      address(escrow),
      ` may then take ${paid(cost.total, state)}.`,
    ),
    h('p', { class: 'row' }, h('button', { class: 'btn', type: 'button', onclick: check }, 'Look again')),
  )
}

function buttons({ cost }: Allowed, state: RunState, actions: RunActions): HTMLElement {
  if (state.phase === 'signing') {
    const waiting = state.steps.find(step => step.state === 'waiting')
    if (waiting !== undefined && !SIGNATURES.includes(waiting.name))
      return h('p', {}, 'What was signed goes on, also if you leave this page.')
    return h(
      'p',
      { class: 'row' },
      h('button', { class: 'btn', type: 'button', onclick: actions.back }, 'Back to the form'),
    )
  }
  const words = state.isBought
    ? 'Go on, it is bought'
    : cost.total === 0n
      ? 'Sign and run for nothing'
      : `Sign and run for ${paid(cost.total, state)}`
  return h(
    'p',
    { class: 'row' },
    h('button', { class: 'btn first', type: 'button', id: 'buy', onclick: actions.sign }, words),
    h('span', { class: 'small soft' }, 'The provider sends the purchase and pays the gas.'),
  )
}
