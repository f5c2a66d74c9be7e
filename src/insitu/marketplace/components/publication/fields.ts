/** The fields of each step: a rule, and beside it what follows from it. */
import { digestOf, type JsonObject } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { a, b, button, div, field, p, small, span } from '../../elements/parts.js'
import { bytes, plain, price } from '../../elements/words.js'
import { isOffered, stageNumbers } from './draft.js'
import { foldersView } from './folders.js'
import { type PublicationState, type StepName, typed } from './state.js'

/** What a person can do in the form. */
export interface FormActions {
  set(field: string, value: string): void
  chooseScripts(files: readonly File[]): void
}

export function fieldsView(state: PublicationState, actions: FormActions): Child {
  return STEP_VIEWS[state.step]?.({ state, actions })
}

/** A form, and what is done in it. */
export interface Form {
  readonly state: PublicationState
  readonly actions: FormActions
}

const STEP_VIEWS: Readonly<Partial<Record<StepName, (form: Form) => Child>>> = {
  ...{ describe: describeView, rules: rulesView, price: priceView, code: codeView, stages: stagesView },
  files: ({ state }) => foldersView(state),
}

type Input = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** A text of one line, or of several with `rows`. What is wrong with it stands below it. */
function text({ state, actions }: Form, id: string, label: string, hint = '', rows = 0, more: JsonObject = {}): Child {
  const problem = state.isJudged ? state.problems[id] : undefined
  const oninput = ({ target }: Event) => actions.set(id, (target as Input).value)
  const common = { id, oninput, value: typed(state, id), autocomplete: 'off', spellcheck: 'false' }
  const given = { ...common, ...(more as Record<string, string>), 'aria-invalid': problem !== undefined && 'true' }
  const input = rows > 0 ? h('textarea', { ...given, rows, class: 'mono' }) : h('input', given)
  return withProblem(field(id, label, hint, input), id, problem)
}

function withProblem(made: HTMLElement, id: string, problem: string | undefined): HTMLElement {
  if (problem === undefined) return made
  const input = made.querySelector('input, textarea, select')
  const described = [input?.getAttribute('aria-describedby'), `${id}-problem`].filter(Boolean).join(' ')
  input?.setAttribute('aria-describedby', described)
  made.append(problemView(id, problem))
  return made
}

function problemView(id: string, problem: string): HTMLElement {
  return h('p', { class: 'st no', id: `${id}-problem` }, plain(problem, 300))
}

function problemOf({ state }: Form, id: string): Child {
  const problem = state.isJudged ? state.problems[id] : undefined
  return problem !== undefined && problemView(id, problem)
}

type Strength = readonly [sign: 'ok' | 'no' | 'off', word: string]

/** One of several rules. */
function pick(form: Form, id: string, value: string, rule: string, consequence: string, strength?: Strength): Child {
  const onchange = () => form.actions.set(id, value)
  const input = h('input', { type: 'radio', name: id, value, checked: typed(form.state, id) === value, onchange })
  const sign = strength && span(`st ${strength[0]}`, strength[1])
  return h('label', { class: 'pick', id: `${id}-${value}` }, input, span('', sign, b(rule), small(consequence)))
}

/** Something that is on until it is taken away. */
export function tick(form: Form, id: string, label: string, hint: string): Child {
  const isOn = isOffered(form.state, id)
  const onchange = () => form.actions.set(id, isOn ? 'no' : '')
  const input = h('input', { type: 'checkbox', checked: isOn, onchange })
  return h('label', { class: 'pick', id: `pick-${id}` }, input, span('', label, small(hint)))
}

function group(title: string, ...children: readonly Child[]): HTMLElement {
  return h('fieldset', {}, h('legend', {}, title), ...children)
}

const STRONGEST: Strength = ['ok', 'Strongest']
const TRUST: Strength = ['off', 'Needs trust']
const WEAKEST: Strength = ['no', 'Weakest']

function describeView(form: Form): Child {
  return [
    text(form, 'name', 'Name', 'As people will find it.', 0, { maxlength: '500' }),
    text(
      form,
      'description',
      'What it is',
      'In Markdown: for data the columns, their units, and where they come from.',
      8,
    ),
    div(
      'two',
      text(form, 'author', 'Author', 'Empty for your address.', 0, { maxlength: '500' }),
      text(form, 'license', 'License', 'Whoever uses it holds to this.'),
    ),
    text(form, 'tags', 'Tags', 'Words by which people find it, with commas between them.'),
  ]
}

function rulesView(form: Form): Child {
  const run = typed(form.state, 'run')
  return [
    group(
      'What may run',
      pick(form, 'run', 'named', 'Only algorithms that I name, each in one exact version', NAMED, STRONGEST),
      run === 'named' && div('under', text(form, 'algorithms', 'DIDs of the algorithms, one a line', '', 3)),
      pick(form, 'run', 'publishers', 'Every algorithm of publishers that I name', PUBLISHERS, TRUST),
      run === 'publishers' && div('under', text(form, 'publishers', 'Addresses of the publishers, one a line', '', 3)),
      pick(form, 'run', 'any', 'Anything', ANYTHING, WEAKEST),
    ),
    group(
      'What may leave',
      div(
        'two',
        text(form, 'maxBytes', 'In all, at most', shareOf(form.state)),
        text(form, 'maxFiles', 'Files, at most', 'If there are more, nothing leaves.', 0, { inputmode: 'numeric' }),
      ),
      text(
        form,
        'types',
        'Kinds of files',
        'By the ending of their names, such as .csv, .png. Other kinds: nothing leaves. Empty allows every kind.',
      ),
    ),
    group(
      'The log',
      pick(
        form,
        'logs',
        'none',
        'I keep it',
        'Consumers see phases, times and the outcome. They find mistakes more slowly.',
        STRONGEST,
      ),
      pick(
        form,
        'logs',
        'live',
        'Shown while it runs',
        'What an algorithm prints leaves at once, before anything is checked: up to 64 KiB for each run.',
        ['no', 'Weaker'],
      ),
    ),
    group(
      'How often, and who',
      text(
        form,
        'maxExecutions',
        'Executions for each agreement, at most',
        'Each run can tell a few bits by its time and outcome. Fewer runs tell less.',
        0,
        { inputmode: 'numeric' },
      ),
      pick(
        form,
        'consumers',
        'any',
        'Anybody may buy',
        'The rules above protect the data, and not a contract with somebody you know.',
      ),
      pick(form, 'consumers', 'listed', 'Only accounts that I name', 'Everybody can read who they are.', STRONGEST),
      typed(form.state, 'consumers') === 'listed' &&
        div('under', text(form, 'accounts', 'Their addresses, one a line', '', 3)),
      text(
        form,
        'use',
        'What the data may be used for',
        'Shown before anybody pays. Nothing but the consumer’s word enforces it.',
      ),
    ),
    group(
      'Failures and corrections',
      pick(
        form,
        'failures',
        'charged',
        'The price is due at the end, if nothing succeeded',
        'A failed run costs nothing now. This way nobody computes for nothing by failing on purpose.',
      ),
      pick(
        form,
        'failures',
        'free',
        'Failures cost nothing',
        'You carry the cost of mistakes of others. The log is then at most 16 KiB.',
      ),
      pick(
        form,
        'revisions',
        'untilSuccess',
        'A workflow may be corrected until a run succeeds',
        'Consumers repair mistakes without paying again. Each correction is judged by these rules.',
      ),
      pick(
        form,
        'revisions',
        'none',
        'Only what was bought runs',
        'A mistake in a script costs its consumer another purchase.',
        STRONGEST,
      ),
      pick(
        form,
        'revisions',
        'always',
        'It may be changed at any time',
        'One agreement asks as many questions as it has runs.',
        ['no', 'Weaker'],
      ),
      text(form, 'parameters', 'Parameters that each run may set', 'Names, with commas between them. Empty: none.'),
    ),
    h(
      'div',
      { class: 'note' },
      p(
        '',
        b('You can tighten a rule at any time'),
        ', for old agreements as well. A looser rule does not widen what was bought.',
      ),
    ),
  ]
}

const NAMED = 'Nobody can change one afterwards. You read each before you name it. The safest choice.'
const PUBLISHERS = 'They can publish new ones at any time, and those run without asking you.'
const ANYTHING =
  'Then the other rules are all that protects the data. An algorithm may write the data into its output: with generous limits this gives them away, slowly.'

function shareOf({ files }: PublicationState): string {
  const sizes = files.map(({ size }) => size)
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  return sizes.includes(undefined) || total === 0
    ? 'Names of the files count too. For example 100 kB.'
    : `Your files have ${bytes(total)}. Names of the files count too.`
}

function priceView(form: Form): Child {
  const { offered, token } = form.state
  const servers = offered.servers.map((server, at) => {
    const cost = String(server['price'] ?? 0)
    const name = `${plain(String(server['serverId'] ?? 'server'), 60)}, ${price(/^\d{1,39}$/.test(cost) ? BigInt(cost) : 0n, token)}`
    const cores = server['cpu'] === '1' ? 'core' : 'cores'
    const parts = [`${server['cpu']} ${cores}`, `${server['memory']} memory`, `${server['disk']} disk`]
    return tick(form, `server${at}`, name, plain(parts.join(', '), 200))
  })
  const images = offered.images.map((image, at) =>
    tick(form, `image${at}`, plain(`${image['image']}:${image['tag']}`, 120), plain(String(image['checksum']), 80)),
  )
  return [
    text(
      form,
      'price',
      `Price of an agreement, in ${plain(token.symbol, 12) || 'tokens'}`,
      'Yours, besides the price of the server. 0 gives it for nothing.',
      0,
      { inputmode: 'decimal' },
    ),
    text(form, 'days', 'Days in which runs may start', 'From the purchase on. After them the money is settled.', 0, {
      inputmode: 'numeric',
    }),
    group('Servers on which it may run', ...servers, problemOf(form, 'servers')),
    group('Images in which it may run', ...images, problemOf(form, 'images')),
  ]
}

function imageView(form: Form, id: string, label: string, none: string): Child {
  const onchange = ({ target }: Event) => form.actions.set(id, (target as Input).value)
  const options = form.state.offered.images.map(image => {
    const value = digestOf(image as never) ?? ''
    return h(
      'option',
      { value, selected: value === typed(form.state, id) },
      plain(`${image['image']}:${image['tag']}`, 100),
    )
  })
  return field(id, label, '', h('select', { id, onchange }, h('option', { value: '' }, none), ...options))
}

function codeView(form: Form): Child {
  const { state, actions } = form
  const onchange = ({ target }: Event) => actions.chooseScripts([...((target as HTMLInputElement).files ?? [])])
  const said = state.scripts.map(({ name, content }) => `${plain(name, 80)}, ${bytes(content.length)}`).join('; ')
  const input = h('input', { id: 'script', type: 'file', multiple: true, onchange })
  return [
    withProblem(
      field('script', 'Files', said || 'From your machine. The provider stores them, and only runs read them.', input),
      'script',
      state.isJudged ? state.problems['script'] : undefined,
    ),
    text(
      form,
      'entrypoint',
      'How it is started',
      'A command in the container; the data sets are --input1, --input2 and so on.',
    ),
    imageView(form, 'image', 'Image that it needs', 'Any that the data allow'),
  ]
}

function stagesView(form: Form): Child {
  const { state, actions } = form
  const numbers = stageNumbers(state)
  const count = numbers.length
  const stages = numbers.map(at => {
    const before = at > 0 ? ` An earlier stage is written “stage ${at - 1}”.` : ''
    return group(
      `Stage ${at}`,
      text(form, `stage${at}.name`, 'What it does', 'A word, such as Filtering.'),
      text(form, `stage${at}.algorithm`, 'Algorithm', 'Its DID. The version of now is the one that runs.', 0, {
        class: 'mono',
      }),
      text(form, `stage${at}.inputs`, 'Reads', `DIDs of data sets, one a line.${before}`, 2),
      imageView(form, `stage${at}.image`, 'Image', 'The first of the provider'),
    )
  })
  const change = (by: number) => () => actions.set('stages', String(count + by))
  return [
    findView(form),
    ...stages,
    problemOf(form, 'stages'),
    p(
      'row',
      count < 20 && h('button', { class: 'btn', type: 'button', onclick: change(1) }, 'Add a stage'),
      count > 1 && h('button', { class: 'btn', type: 'button', onclick: change(-1) }, 'Remove the last'),
    ),
  ]
}

/** Search, and put what was found where it belongs: a data set into the inputs, an algorithm into the stage. */
function findView(form: Form): Child {
  const { state, actions } = form
  const last = stageNumbers(state).length - 1
  const use = (did: string, type: string) => () => {
    const inputs = typed(state, `stage${last}.inputs`).trim()
    if (type === 'algorithm') actions.set(`stage${last}.algorithm`, did)
    else actions.set(`stage${last}.inputs`, inputs ? `${inputs}\n${did}` : did)
  }
  const rows = state.found.map(({ did, name, type }) => {
    const label = type === 'algorithm' ? `Run in stage ${last}` : `Read in stage ${last}`
    const put = {
      class: 'btn end',
      type: 'button',
      onclick: use(did, type),
      'aria-label': `${label}: ${plain(name, 120)}`,
    }
    const kind = span('soft small', type === 'algorithm' ? 'algorithm' : 'data set')
    return h('li', {}, div('row', a(`/assets/${did}`, plain(name, 120) || did), kind, h('button', put, label)))
  })
  return [
    text(
      form,
      'search',
      'Find data sets and algorithms',
      'Yours, and those that everybody finds. Names are claims of their owners.',
    ),
    p('row', button('btn', 'find', 'Find')),
    rows.length > 0 && h('ul', { class: 'cards dense' }, ...rows),
  ]
}
