import { sameAddress } from 'insitu/domain'
import { type Child, h } from '../../elements/dom.js'
import { b, button, code, div, field, p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import { address, plain } from '../../elements/words.js'

/** What a curator can decide, and what it is called on the page. */
export const DECISIONS = {
  hide: 'Hide it: no search finds it',
  unhide: 'Show it again',
  feature: 'Feature it on the first page',
  unfeature: 'Feature it no longer',
} as const

export type Decision = keyof typeof DECISIONS

/** All that the form shows. */
export interface CurationState {
  /** The accounts that may decide, as the catalogue says; the catalogue itself checks who signed. */
  readonly curators: readonly string[]
  readonly catalogue: string
  /** The account of the wallet, if one is chosen. */
  readonly address: string | undefined
  readonly asset: string
  readonly decision: Decision
  readonly reason: string
  /** What is going on; undefined while nothing is. */
  readonly progress: string | undefined
  readonly error: unknown
}

/** What a person does. */
export interface CurationActions {
  change(change: Partial<CurationState>): void
  decide(): void
}

/** Return whether a decision is for a reason; the others end one. */
export function isForReason(decision: Decision): boolean {
  return decision === 'hide' || decision === 'feature'
}

/** Return the form with which a curator decides. */
export function curationView(state: CurationState, actions: CurationActions): readonly Child[] {
  const isStranger = state.address !== undefined && !mayDecide(state, state.address)
  const onsubmit = (event: Event) => {
    event.preventDefault()
    actions.decide()
  }
  return [
    isStranger && strangerNote(state.address),
    h('form', { 'aria-label': 'Decide', onsubmit }, ...fieldsView(state, actions), submitView(state, isStranger)),
    h('div', { role: 'status' }, state.progress && p('text', plain(state.progress))),
    state.error !== undefined && problemNote(state.error),
  ]
}

/** Return whether the catalogue names an account among its curators. */
export function mayDecide({ curators }: CurationState, account: string): boolean {
  return curators.some(curator => sameAddress(curator, account))
}

function strangerNote(account: string): HTMLElement {
  return div(
    'note',
    p('', b('This account is not a curator here: '), address(account)),
    p(
      '',
      'Choose another one in your wallet, or ask the operator of the catalogue to name it under ',
      code('metadata.curators'),
      '.',
    ),
  )
}

function fieldsView(state: CurationState, { change }: CurationActions): readonly Child[] {
  const written = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value
  const common = { required: true, autocomplete: 'off', disabled: state.progress !== undefined }
  const asset = h('input', {
    ...{ id: 'asset', value: state.asset, spellcheck: 'false', pattern: '.*did:nv:[0-9a-f]{64}.*', ...common },
    oninput: (event: Event) => change({ asset: written(event) }),
  })
  const options = Object.entries(DECISIONS).map(([value, label]) =>
    h('option', { value, selected: value === state.decision }, label),
  )
  const onchange = (event: Event) => change({ decision: written(event) as Decision })
  const reason = h('input', {
    ...{ id: 'reason', value: state.reason, maxlength: 500, pattern: '.*\\S.*', ...common },
    oninput: (event: Event) => change({ reason: written(event) }),
  })
  return [
    field('asset', 'Asset', 'Its DID, or the address of its page.', asset),
    field('decision', 'Decision', '', h('select', { id: 'decision', onchange, disabled: common.disabled }, options)),
    isForReason(state.decision) && field('reason', 'Reason', 'Everybody can read it, with your account.', reason),
  ]
}

function submitView({ catalogue, progress }: CurationState, isStranger: boolean): Child {
  const sign = h('button', { class: 'btn first', disabled: isStranger || progress !== undefined }, 'Sign the decision')
  return [
    p(
      'text small',
      'Your wallet shows a ',
      code('CurationRequest'),
      ' for ',
      code(plain(catalogue)),
      ': asset, action and reason. It costs nothing, and holds at no other catalogue.',
    ),
    p('row', sign, progress !== undefined && button('btn', 'cancel', 'Cancel')),
  ]
}
