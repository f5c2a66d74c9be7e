/** The form: on what, what, with which parameters, on which server. */
import { digestOf, parseBytes } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { field, small } from '../../elements/parts.js'
import { amount, bytes, counted, duration, nameOf, plain, price, rounded } from '../../elements/words.js'
import { commonServers, type DataSet, type Form, imagesOf, type Offer, rulesOf } from './plan.js'
import type { RunActions, RunState } from './state.js'

export function formView(state: RunState, actions: RunActions): HTMLElement {
  const { inputs } = state
  return h(
    'form',
    { 'aria-label': 'What to run', onsubmit: (event: Event) => event.preventDefault() },
    h('fieldset', { id: 'on' }, h('legend', {}, 'On'), ...inputs.map(input => inputView(input))),
    h('fieldset', { id: 'what' }, h('legend', {}, 'Run'), ...whatView(state, actions)),
    parametersView(state, actions),
    serverView(state, actions),
  )
}

function inputView(input: DataSet): HTMLElement {
  const { types, maxBytes, maxFiles } = rulesOf([input])
  const limits = [
    types === undefined ? 'files of every type' : `files of the types ${types.map(type => plain(type, 30)).join(', ')}`,
    maxBytes !== undefined && `at most ${bytes(maxBytes)}`,
    maxFiles !== undefined && `in ${counted(maxFiles, 'file')}`,
  ].filter(Boolean)
  const name = h('a', { href: `/assets/${input.did}` }, input.name)
  return h(
    'p',
    { class: 'pick', id: input.did },
    h('span', { class: 'st ok' }),
    h('span', {}, name, small(`May leave: ${limits.join(', ')}.`)),
  )
}

function whatView(state: RunState, actions: RunActions): Child[] {
  const { form, workflows, algorithms } = state
  const choose = (what: Form['what']) => actions.change({ what })
  const option = (what: Form['what'], label: string, hint: string) =>
    pick('what', label, hint, form.what === what, () => choose(what))
  return [
    workflows.length > 0 && option('workflow', 'A workflow', 'One that is published: nothing new is registered.'),
    form.what === 'workflow' &&
      select('workflow', 'Workflow', workflows, form.workflow, workflow => actions.change({ workflow })),
    algorithms.length > 0 &&
      option('algorithm', 'A published algorithm', 'Those that are yours, or that the rules name.'),
    form.what === 'algorithm' &&
      select('algorithm', 'Algorithm', algorithms, form.algorithm, algorithm => actions.change({ algorithm })),
    option(
      'script',
      'A script of yours',
      'It is published under your account, forever: everybody can see that it was run.',
    ),
    form.what === 'script' && scriptView(state, actions),
  ]
}

function select(
  id: string,
  label: string,
  offers: readonly Offer[],
  chosen: string,
  choose: (did: string) => void,
): HTMLElement {
  const options = offers.map(({ did, name, isOwn }) =>
    h('option', { value: did, selected: did === chosen }, `${nameOf(name, did)}${isOwn ? ' (yours)' : ''}`),
  )
  const onchange = (event: Event) => choose((event.target as HTMLSelectElement).value)
  const none = h('option', { value: '', selected: chosen === '' }, 'Choose one')
  return field(id, label, '', h('select', { id, onchange }, none, ...options))
}

function scriptView({ form, inputs }: RunState, actions: RunActions): HTMLElement {
  const onchange = (event: Event) => actions.chooseScript((event.target as HTMLInputElement).files?.[0])
  const { script } = form
  const said = script
    ? `${plain(script.name, 80)}, ${bytes(script.content.length)}`
    : 'One file; the provider stores it.'
  const images = imagesOf(inputs)
  const options = images.map(image => {
    const digest = digestOf(image) ?? ''
    return h('option', { value: digest, selected: digest === form.image }, plain(`${image.image}:${image.tag}`, 100))
  })
  const oninput = (event: Event) => actions.change({ entrypoint: (event.target as HTMLInputElement).value })
  const chooseImage = (event: Event) => actions.change({ image: (event.target as HTMLSelectElement).value })
  return h(
    'div',
    { class: 'under', id: 'script-fields' },
    field(
      'script',
      'Script',
      said,
      h('input', { id: 'script', type: 'file', 'aria-describedby': 'script-hint', onchange }),
    ),
    script &&
      field(
        'entrypoint',
        'How it is started',
        'A command in the container; the data sets are --input1, --input2 and so on.',
        h('input', { id: 'entrypoint', value: form.entrypoint, autocomplete: 'off', spellcheck: 'false', oninput }),
      ),
    images.length > 0
      ? field(
          'image',
          'Image',
          'Every data set of the run allows these.',
          h('select', { id: 'image', onchange: chooseImage }, ...options),
        )
      : h('p', { class: 'st no' }, 'No image is allowed by all these data sets'),
  )
}

/** Fields for each stage; a workflow that is published may have several. */
function parametersView({ inputs, form, stages }: RunState, actions: RunActions): Child {
  const names = rulesOf(inputs).parameters
  if (names.length === 0) return undefined
  const of = form.what === 'workflow' ? stages : [0]
  return of.slice(0, 10).map(stage => stageView(stage, of.length > 1, names, form, actions))
}

function stageView(
  stage: number,
  isOneOfMany: boolean,
  names: readonly string[],
  form: Form,
  actions: RunActions,
): HTMLElement {
  const fields = names.slice(0, 50).map(name => {
    const place = `${stage} ${name}`
    const key = `p-${stage}-${name}`
    const oninput = (event: Event) => {
      actions.change({ parameters: { ...form.parameters, [place]: (event.target as HTMLInputElement).value } })
    }
    const input = h('input', { id: key, value: form.parameters[place] ?? '', autocomplete: 'off', oninput })
    return field(key, plain(name, 64), 'Passed to the algorithm; empty leaves it out.', input)
  })
  const title = isOneOfMany ? `Parameters of stage ${stage}` : 'Parameters'
  return h('fieldset', { id: `parameters-${stage}` }, h('legend', {}, title), h('div', { class: 'two' }, ...fields))
}

function serverView({ inputs, form, token, judgement }: RunState, actions: RunActions): Child {
  if (form.what === 'workflow') return undefined
  const verdict = judgement.is === 'known' && judgement.verdict.allowed ? judgement.verdict.cost.server.serverId : ''
  const servers = commonServers(inputs).map(server => {
    const { serverId = '', cpu, memory, disk, gpu, maxExecutionTime } = server
    const cost = token ? price(server.price, token) : ''
    const has = [
      `${plain(cpu, 12)} ${cpu === '1' ? 'core' : 'cores'}`,
      gpu !== '0' && `${plain(gpu, 12)} GPU`,
      `${sizeOf(memory)} memory`,
      `${sizeOf(disk)} disk`,
    ]
    const hint = `${has.filter(Boolean).join(', ')}, at most ${duration(maxExecutionTime)}.`
    const isChosen = (form.server || verdict) === serverId
    return pick('server', `${plain(serverId, 60)}, ${cost}`, hint, isChosen, () => actions.change({ server: serverId }))
  })
  return h('fieldset', { id: 'server' }, h('legend', {}, 'Server'), ...servers)
}

/** Return a size of a document as every page writes it; its own words if they are none. */
function sizeOf(said: string): string {
  try {
    return bytes(parseBytes(said)).replace('.0 ', ' ')
  } catch {
    return plain(said, 20)
  }
}

function pick(name: string, label: string, hint: string, checked: boolean, choose: () => void): HTMLElement {
  const input = h('input', { type: 'radio', name, checked, onchange: choose })
  return h(
    'label',
    { class: 'pick', id: `${name}-${label.replace(/\W/g, '')}` },
    input,
    h('span', {}, label, small(hint)),
  )
}

/** Return an amount of the token that is paid with. */
export function paid(baseUnits: bigint, { token }: Pick<RunState, 'token'>): string {
  return token ? amount(baseUnits, token) : `${baseUnits} base units`
}

/** Return an amount for a heading; see `rounded`. */
export function nearly(baseUnits: bigint, { token }: Pick<RunState, 'token'>): string {
  return token ? rounded(baseUnits, token) : `${baseUnits} base units`
}
