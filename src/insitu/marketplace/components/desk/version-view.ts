import type { Change } from 'insitu/desk'
import type { Json } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import type { Token } from '../../elements/site.js'
import { amount, counted, plain } from '../../elements/words.js'
import { type FormActions, fieldsView, tick } from '../publication/fields.js'
import { type PublicationState, type StepName, typed } from '../publication/state.js'

/** All that the window of a new version shows. */
export interface VersionState {
  /** What the asset is called now. */
  readonly name: string
  readonly form: PublicationState
  /** It offers compute, so that it has rules and a price. */
  readonly isOffer: boolean
  /** What the filled in version changes; none as long as it is not judged, or is wrong. */
  readonly changes: readonly Change[]
  /** Why it cannot be published. */
  readonly error?: unknown
}

/** What a person does in the window. */
export interface VersionActs extends FormActions {
  sign(): void
  close(): void
}

/** Return the window of a new version: the fields with which an asset is published, and what they change. */
export function versionView({ name, form, isOffer, changes, error }: VersionState, act: VersionActs): readonly Child[] {
  const { token } = form
  const part = (title: string, step: StepName, ...children: readonly Child[]) =>
    h('details', {}, h('summary', {}, title), ...children, fieldsView({ ...form, step }, act))
  return [
    h('h2', {}, `New version of ${plain(name, 120)}`),
    p('text small', 'What was bought keeps running by the version that was bought. Files and DID stay.'),
    fieldsView({ ...form, step: 'describe' }, act),
    isOffer && [part('Rules', 'rules', pinnedView(form, act)), part('Price, servers and images', 'price')],
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
  name: 'Name',
  'additionalInformation.description': 'Description',
  'additionalInformation.tags': 'Tags',
  price: 'Price',
}

/** Algorithms that are named keep their versions, unless a person asks for those of now. */
function pinnedView(form: PublicationState, actions: FormActions): Child {
  const hint = 'Otherwise the version of now is allowed instead, which you should have read.'
  const label = 'Named algorithms keep the versions that are allowed'
  return typed(form, 'run') === 'named' && tick({ state: form, actions }, 'pinned', label, hint)
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
