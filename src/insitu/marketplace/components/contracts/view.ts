/** The window that asks once for each chain whether these are the contracts that the person means. */
import type { ContractsToConfirm } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { nameOf, plain } from '../../elements/words.js'

/** What is confirmed, and what was confirmed for the same chain before. */
export interface ContractsState {
  readonly contracts: ContractsToConfirm
  readonly gateway: string
  /** What this browser has confirmed for the chain earlier, if it is something else. */
  readonly before?: Addresses | undefined
}

/** The addresses that are remembered for a chain. */
export interface Addresses {
  readonly registry: string
  readonly template: string
  readonly token: string
}

export function contractsView({ contracts, gateway, before }: ContractsState, actions: ContractsActions): Child[] {
  const { registry, template, token, tokenFacts, chainId } = contracts
  const facts = `${nameOf(tokenFacts.name)}, ${nameOf(tokenFacts.symbol)}, ${tokenFacts.decimals} decimals`
  return [
    h('h2', {}, `Are these the contracts that you mean, on chain ${chainId}?`),
    h(
      'p',
      { class: 'text' },
      `The provider ${plain(gateway, 120)} names them. Your money goes to them, so compare them with
      a source that you trust, such as the operator’s own page. You are asked once for each chain.`,
    ),
    before && changedNote(),
    h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        {},
        h('thead', {}, h('tr', {}, heading('Contract'), heading('Address'), before && heading('Before'))),
        h(
          'tbody',
          {},
          row('Registry', 'who owns which document', registry, before?.registry),
          row('Escrow (template)', 'holds the payments', template, before?.template),
          row('Token', facts, token, before?.token),
        ),
      ),
    ),
    h('p', { class: 'st ok' }, 'The code of registry and escrow is that of this release.'),
    h(
      'p',
      { class: 'small soft' },
      'Anybody can put the same code at other addresses. Only you know which ones you mean.',
    ),
    h(
      'p',
      { class: 'row' },
      h('button', { class: 'btn first', type: 'button', onclick: actions.yes }, 'These are the ones'),
      h('button', { class: 'btn', type: 'button', onclick: actions.no }, 'No'),
    ),
  ]
}

export interface ContractsActions {
  yes(): void
  no(): void
}

function changedNote(): HTMLElement {
  return h(
    'div',
    { class: 'note no' },
    h('p', {}, h('b', {}, 'They are not those that you confirmed for this chain before.')),
    h('p', {}, 'A development chain that began again has new ones. On any other chain, say no and ask the operator.'),
  )
}

function heading(text: string): HTMLElement {
  return h('th', { scope: 'col' }, text)
}

function row(name: string, what: string, address: string, before: string | undefined): HTMLElement {
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name, h('small', {}, what)),
    h('td', {}, h('code', {}, address)),
    before && h('td', {}, before === address ? 'the same' : h('code', {}, plain(before, 60))),
  )
}
