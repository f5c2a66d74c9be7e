/** The page of a run. */
import { type Child, h } from '../../elements/dom.js'
import { problemNote } from '../../elements/problem.js'
import { formView, nearly } from './form-view.js'
import { signingView } from './signing-view.js'
import type { RunActions, RunState } from './state.js'
import { nextView, verdictView } from './verdict-view.js'

export function runView(state: RunState, actions: RunActions): Child[] {
  const { phase, judgement } = state
  if (phase === 'no account') return noAccountView(state, actions)
  if (phase === 'loading')
    return [h('p', { class: 'st wait', role: 'status' }, 'Comparing the documents with the chain'), note(state)]
  if (phase === 'not loaded') {
    const again = h('button', { class: 'btn', type: 'button', onclick: actions.load }, 'Try again')
    return [note(state), h('p', { class: 'row' }, again)]
  }
  if (phase === 'started') return startedView(state)
  const verdict = judgement.is === 'known' ? judgement.verdict : undefined
  const rest = verdict?.allowed
    ? signingView(verdict, state, actions)
    : verdict && nextView(verdict.reasons, state, actions)
  if (phase === 'signing' && verdict?.allowed) {
    const signing = h('div', { id: 'signing' }, signingView(verdict, state, actions))
    return [glance(state), h('div', { class: 'split', id: 'signs' }, signing, verdictView(state))]
  }
  const again = h('button', { class: 'btn', type: 'button', onclick: actions.check }, 'Ask again')
  return [
    glance(state),
    h(
      'div',
      { class: 'split three', id: 'choose' },
      formView(state, actions),
      verdictView(state),
      h(
        'div',
        { class: 'rest', id: 'rest' },
        rest,
        !rest && note(state),
        judgement.is === 'failed' && h('p', { class: 'row' }, again),
      ),
    ),
  ]
}

function note({ error }: RunState): Child {
  return error !== undefined && problemNote(error)
}

/** On a phone, one line of the verdict stays at the top. */
function glance(state: RunState): HTMLElement {
  const { judgement, phase } = state
  const verdict = judgement.is === 'known' ? judgement.verdict : undefined
  const words = (): Child[] => {
    if (phase === 'signing') return [h('span', { class: 'st wait' }, 'Signing')]
    if (verdict === undefined) return [h('span', { class: 'st off' }, 'No verdict yet')]
    if (!verdict.allowed)
      return [h('span', { class: 'st no' }, 'Refused'), ' \u2003', h('a', { href: '#next' }, 'What to do next')]
    const price = verdict.cost.total === 0n ? 'Nothing' : nearly(verdict.cost.total, state)
    return [
      h('span', { class: 'st ok' }, 'Allowed'),
      ' \u2003',
      h('b', {}, price),
      ' \u2003',
      h('a', { href: '#sign' }, 'What you will sign'),
    ]
  }
  return h('p', { class: 'glance jump', id: 'glance' }, ...words())
}

function noAccountView(state: RunState, actions: RunActions): Child[] {
  const button = h('button', { class: 'btn first', type: 'button', onclick: actions.chooseAccount }, 'Choose a wallet')
  return [
    h(
      'p',
      { class: 'text' },
      'Whether something may run, and for how much, depends on who asks. Your wallet is asked for your address only; you sign nothing before you have seen the verdict, the price and the terms.',
    ),
    note(state),
    h('p', { class: 'row' }, button),
  ]
}

function startedView({ execution }: RunState): Child[] {
  const link = h('a', { class: 'btn first', href: execution }, 'Watch the run')
  return [
    h(
      'div',
      { class: 'note ok', role: 'status' },
      h('p', {}, h('b', {}, 'It is bought, granted and started.')),
      h('p', {}, link),
    ),
  ]
}
