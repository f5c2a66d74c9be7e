/** What the development wallet shows before it signs: the same fields as any wallet. */
import { type Child, h } from '../../elements/dom.js'
import { plain, plainLines } from '../../elements/words.js'

/** What a page asks the wallet for. */
export interface Request {
  readonly kind: 'connect' | 'text' | 'typed data'
  readonly text?: string | undefined
  readonly typedData?: Readonly<Record<string, unknown>> | undefined
}

export interface WalletState {
  readonly request: Request
  readonly role: string
  readonly address: string
  readonly origin: string
}

export interface WalletActions {
  accept(): void
  reject(): void
}

const QUESTIONS = {
  connect: 'A page asks for your address',
  text: 'A page asks you to sign a text',
  'typed data': 'A page asks you to sign these fields',
} as const

export function approvalView({ request, role, address, origin }: WalletState, actions: WalletActions): Child[] {
  const isConnect = request.kind === 'connect'
  return [
    h('p', { class: 'label' }, 'insitu development wallet'),
    h('h2', {}, QUESTIONS[request.kind]),
    h('p', { class: 'text' }, 'The page is ', h('b', {}, origin), '. You are ', h('b', {}, role), ':'),
    h('p', {}, h('code', {}, address)),
    request.text !== undefined && h('pre', { tabindex: 0, 'aria-label': 'The text' }, plainLines(request.text)),
    request.typedData && typedDataView(request.typedData),
    h(
      'p',
      { class: 'row' },
      h('button', { class: 'btn first', type: 'button', onclick: actions.accept }, isConnect ? 'Connect' : 'Sign'),
      h('button', { class: 'btn', type: 'button', onclick: actions.reject }, 'Reject'),
    ),
    h('p', { class: 'small soft' }, 'Everybody knows this wallet’s keys. They are for development chains only.'),
  ]
}

/** Return the fields of typed data as a wallet lists them: those of the domain, then those of the message. */
export function typedDataView({ domain, primaryType, message }: Readonly<Record<string, unknown>>): HTMLElement {
  const rows = [...rowsOf('', { domain }), ...rowsOf('', message)]
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'The fields' },
    h('table', {}, h('caption', {}, h('b', {}, plain(String(primaryType), 60))), h('tbody', {}, ...rows)),
  )
}

function rowsOf(path: string, value: unknown): HTMLElement[] {
  if (typeof value !== 'object' || value === null) {
    return [h('tr', {}, h('th', { scope: 'row' }, path), h('td', {}, h('code', {}, plain(String(value), 4000))))]
  }
  return Object.entries(value).flatMap(([name, member]) =>
    rowsOf(path ? `${path}.${plain(name)}` : plain(name), member),
  )
}

/** The banner's choice of who one is. */
export function roleView(roles: readonly string[], role: string, choose: (role: string) => void): HTMLElement {
  const onchange = (event: Event) => choose((event.target as HTMLSelectElement).value)
  const options = roles.map(one => h('option', { value: one, selected: one === role }, one))
  return h('label', { class: 'role' }, 'Development wallet: you are ', h('select', { onchange }, ...options))
}
