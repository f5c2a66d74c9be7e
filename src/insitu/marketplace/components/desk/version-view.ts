import type { Change } from 'insitu/desk'
import type { Json } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { field, p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import type { Token } from '../../elements/site.js'
import { amount, counted, plain } from '../../elements/words.js'

/** What is filled in. */
export interface Filled {
  readonly title: string
  readonly description: string
  /** In the token's unit. */
  readonly price: string
  /** JSON of the compute service's policy; undefined if the asset offers no compute. */
  readonly rules: string | undefined
}

/** All that the window of a new version shows. */
export interface VersionState {
  readonly before: Filled
  readonly filled: Filled
  /** What the filled in version changes; none as long as it is not judged, or is wrong. */
  readonly changes: readonly Change[]
  /** Why it cannot be published. */
  readonly error?: unknown
  readonly token: Token
}

/** What a person does in the window. */
export interface VersionActs {
  change(change: Partial<Filled>): void
  sign(): void
  close(): void
}

/** Return the window of a new version. */
export function versionView(state: VersionState, act: VersionActs): readonly Child[] {
  const { filled, changes, error, token } = state
  const oninput = (key: keyof Filled) => (event: Event) =>
    act.change({ [key]: (event.target as HTMLInputElement).value })
  const line = (key: keyof Filled, label: string, hint: string) =>
    field(
      `version-${key}`,
      label,
      hint,
      h('input', { id: `version-${key}`, type: 'text', value: filled[key] ?? '', oninput: oninput(key) }),
    )
  const text = (key: keyof Filled, label: string, hint: string) =>
    field(
      `version-${key}`,
      label,
      hint,
      h('textarea', { id: `version-${key}`, rows: 6, value: filled[key] ?? '', oninput: oninput(key) }),
    )
  return [
    h('h2', {}, `New version of ${plain(state.before.title, 120)}`),
    p('text small', 'What was bought keeps running by the version that was bought. Files and DID stay.'),
    line('title', 'Title', ''),
    text('description', 'Description', 'Markdown. Everybody reads it.'),
    line('price', 'Price', `In ${plain(token.symbol, 12)}, for new agreements.`),
    filled.rules !== undefined &&
      text('rules', 'Rules', 'What may run and what may leave, as the document has it (JSON).'),
    error !== undefined && problemNote(error),
    changes.length > 0 && changesView(changes, token),
    p(
      'row',
      changes.length > 0 &&
        h(
          'button',
          { class: 'btn first', type: 'button', onclick: () => act.sign() },
          `Sign ${counted(changes.length, 'change')}`,
        ),
      h('button', { class: 'btn', type: 'button', onclick: () => act.close() }, 'Close'),
    ),
  ]
}

const MEMBERS: Readonly<Record<string, string>> = {
  name: 'Title',
  'additionalInformation.description': 'Description',
  price: 'Price',
}

function changesView(changes: readonly Change[], token: Token): HTMLElement {
  const head = ['What', 'Was', 'Becomes'].map(title => h('th', { scope: 'col' }, title))
  return h(
    'div',
    { role: 'status' },
    h(
      'table',
      { class: 'stack' },
      h('caption', {}, 'What you would sign'),
      h('thead', {}, h('tr', {}, head)),
      h(
        'tbody',
        {},
        changes.map(change => changeRow(change, token)),
      ),
    ),
  )
}

function changeRow({ path, before, after }: Change, token: Token): HTMLElement {
  const label = MEMBERS[path] ?? (path.startsWith('policy') ? `Rule ${path.slice('policy.'.length)}` : path)
  const shown = (value: Json | undefined) => valueText(path, value, token)
  return h(
    'tr',
    {},
    h('th', { scope: 'row', class: 'fullw' }, plain(label, 120)),
    h('td', { 'data-l': 'was' }, shown(before)),
    h('td', { 'data-l': 'becomes' }, shown(after)),
  )
}

function valueText(path: string, value: Json | undefined, token: Token): string {
  if (value === undefined) return 'nothing'
  if (path === 'price' && /^\d{1,78}$/.test(String(value))) return amount(BigInt(String(value)), token)
  return plain(typeof value === 'string' ? value : JSON.stringify(value), 600)
}
