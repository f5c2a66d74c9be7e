/** The page of a publication: steps, the form of one of them, and beside it what others will see. */
import { type Child, h } from '../../elements/dom.js'
import { a, b, button, div, field, p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import { id, plain, plainLines } from '../../elements/words.js'
import { type FormActions, fieldsView } from './fields.js'
import { gateView, graphView, wallView } from './preview.js'
import { type PublicationState, STEPS, type StepName, stepOf, typed } from './state.js'

const TITLES: Readonly<Record<StepName, string>> = {
  ...{ describe: 'Describe', files: 'Files', rules: 'Rules', price: 'Price', code: 'Code', stages: 'Stages' },
  check: 'Check and sign',
}

export function publicationView(state: PublicationState, actions: FormActions): Child[] {
  const { heading, step, kind } = state
  if (state.done !== undefined) return [h('h1', {}, heading), doneView(state)]
  const steps = STEPS[kind]
  const at = steps.indexOf(step)
  const [before, next] = [steps[at - 1], steps[at + 1]]
  const onsubmit = (event: Event) => event.preventDefault()
  const form = h(
    'form',
    { 'aria-label': TITLES[step], onsubmit },
    h('h2', { id: 'step', tabindex: -1 }, TITLES[step]),
    step === 'check' ? checkView(state) : fieldsView(state, actions),
    state.error !== undefined && problemNote(state.error),
    step !== 'check' || state.now === undefined
      ? p(
          'row',
          next && stepButton('btn first', next, `Go on: ${TITLES[next]}`),
          before && stepButton('btn', before, `Back: ${TITLES[before]}`),
          h('span', { class: 'small soft' }, 'What you write stays in this tab.'),
        )
      : undefined,
  )
  return [
    h('h1', {}, heading),
    providerView(state),
    stepsView(state),
    h('div', { class: 'split' }, div('', form), asideView(state)),
  ]
}

/** The provider of what is published, where there are several. Another one has other folders, images and servers. */
function providerView({ gateway, gateways, wanted, now }: PublicationState): Child {
  if (gateways.length < 2 || now !== undefined) return undefined
  const options = gateways.map(url => h('option', { value: url, selected: url === gateway }, plain(url, 120)))
  const hint =
    'It keeps the files and runs what is allowed on them. With another one, choose files, images and servers again.'
  return [
    wanted !== gateway &&
      h(
        'p',
        { class: 'note', role: 'status' },
        b(plain(wanted, 120)),
        ' does not answer, so this is for another provider.',
      ),
    h(
      'form',
      { 'aria-label': 'Choice of a provider', 'data-act': 'gateway' },
      field('gateway', 'Provider', hint, h('select', { id: 'gateway', name: 'gateway' }, options)),
      p('', h('button', { class: 'btn' }, 'Use this provider')),
    ),
  ]
}

function stepButton(kind: string, step: StepName, ...words: readonly Child[]): HTMLElement {
  return h('button', { class: kind, type: 'button', 'data-act': 'step', 'data-step': step }, ...words)
}

function stepsView(state: PublicationState): HTMLElement {
  const wrong = new Set(state.isJudged ? Object.keys(state.problems).map(field => stepOf(state.kind, field)) : [])
  const items = STEPS[state.kind].map((step, at) => {
    const words = `${at + 1} ${TITLES[step]}`
    const sign = step !== 'check' && state.isJudged && (wrong.has(step) ? ' ✕' : ' ✓')
    const said = wrong.has(step) && h('span', { class: 'hide' }, ', something is missing or wrong')
    return h('li', { 'aria-current': step === state.step && 'step' }, stepButton('link', step, words, sign, said))
  })
  return h('nav', { 'aria-label': 'Steps' }, h('ol', { class: 'steps' }, ...items))
}

function checkView(state: PublicationState): Child {
  const { problems, isJudged, prepared, now, kind } = state
  const wrong = Object.entries(problems)
  if (!isJudged) return h('p', { class: 'st wait', role: 'status' }, 'Comparing with the rules of documents')
  if (wrong.length > 0) {
    const rows = wrong.map(([field, problem]) => {
      const step = stepOf(kind, field)
      return h('li', {}, step !== 'check' && [stepButton('link', step, TITLES[step]), ': '], plain(problem, 300))
    })
    return div('note no', p('', b('It cannot be published yet.')), h('ul', {}, ...rows))
  }
  const { preview } = state
  return [
    h('p', { class: 'st ok', role: 'status' }, 'It fits the rules of documents'),
    preview && [wallView(preview), graphView(preview)],
    publicNote(state),
    prepared && documentNote(state),
    now
      ? nowView(state)
      : prepared
        ? p(
            'row',
            button('btn first', 'sign', 'Sign and publish'),
            h('span', { class: 'small soft' }, 'One signature. The provider sends it and pays the gas.'),
          )
        : p(
            'row',
            button('btn first', 'prepare', 'Make the exact document'),
            h('span', { class: 'small soft' }, 'Nothing is signed or public by this.'),
          ),
  ]
}

const SEALED = {
  data: 'the number, kinds and sizes of the files, and who runs what on it. Not the data, and not the names and places of the files.',
  algorithm: 'the number, kinds, sizes and hashes of its files. Not the files: only runs read them.',
  workflow: 'which algorithms run on which data sets.',
}

function publicNote({ kind }: PublicationState): HTMLElement {
  const known = kind === 'data' ? 'Name, description, rules and price; ' : 'Name, description and your address; '
  return div('note', p('', b('Public, and forever: '), known, SEALED[kind]))
}

function documentNote({ prepared, gateway }: PublicationState): Child {
  return h(
    'p',
    { class: 'text', id: 'exact' },
    'This is the exact document. Your wallet signs its checksum ',
    id(prepared?.checksum ?? ''),
    ' for ',
    id(prepared?.did ?? ''),
    ', with the gateway ',
    plain(gateway, 120),
    ' as provider.',
  )
}

function nowView({ now }: PublicationState): Child {
  const asks = now?.asks
  const written = asks === undefined ? '' : typeof asks === 'string' ? plainLines(asks) : jsonOf(asks.message)
  return [
    h('div', { class: 'note', role: 'status', id: 'now' }, p('', b(plain(now?.message ?? '', 600)))),
    p('row', button('btn', 'stop', 'Stop waiting')),
    written && h('pre', { tabindex: 0, 'aria-label': 'What the wallet shows' }, h('code', {}, written)),
  ]
}

function doneView({ done }: PublicationState): Child {
  const did = done?.did ?? ''
  const words = done?.reused ? 'It was published before: nothing was made twice.' : 'It is published.'
  return div(
    'note ok',
    h('p', { role: 'status' }, b(words)),
    p('', id(did)),
    p(
      'row',
      h('a', { class: 'btn first', href: `/assets/${did}` }, 'See it as others see it'),
      done && !done.isListed && button('btn', 'list', 'List it in searches'),
      a('/publish', 'Publish more'),
    ),
    done &&
      !done.isListed &&
      p('small soft', 'Searches of others find it once you sign that they do. Who knows the DID finds it anyway.'),
  )
}

function asideView(state: PublicationState): HTMLElement {
  const { preview, kind, document, step } = state
  const entries = document?.['service']
  const shown = kind === 'data' && step !== 'check' && Array.isArray(entries) ? policyOf(entries) : document
  return h(
    'aside',
    { class: 'side', 'aria-label': 'Preview' },
    p('label', 'As others will see it'),
    h('h2', {}, plain(typed(state, 'name'), 200).trim() || 'Without a name'),
    preview && [gateView(preview), kind === 'workflow' && step === 'stages' && graphView(preview)],
    p('label', shown === document ? 'The document' : 'The rules, as the document says them'),
    shown
      ? h('pre', { tabindex: 0, 'aria-label': 'The document' }, h('code', {}, jsonOf(shown)))
      : p('small soft', 'It stands here once nothing is missing.'),
  )
}

function policyOf(entries: readonly unknown[]): unknown {
  const compute = entries.find(entry => (entry as { type?: unknown }).type === 'compute')
  return (compute as { attributes?: { main?: { policy?: unknown } } } | undefined)?.attributes?.main?.policy
}

function jsonOf(value: unknown): string {
  const replaced = (_: string, member: unknown) => (typeof member === 'bigint' ? member.toString() : member)
  return plainLines(JSON.stringify(value, replaced, 2) ?? '')
}
