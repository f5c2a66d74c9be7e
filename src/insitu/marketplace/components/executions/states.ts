/** Every state of the list of executions, and of every personal page before somebody is signed in. */
import { InsituError } from 'insitu'
import { type Child, h, replaceChildren } from '../../elements/dom.js'
import type { Source } from '../../elements/lists.js'
import { welcomeView } from '../../elements/personal.js'
import { samples } from '../execution/states.js'
import { type ExecutionsState, executionsView } from './view.js'

const { succeeded, live, failed, HOSTILE } = samples
const base: ExecutionsState = { address: succeeded.consumer, items: [], hasMore: false, missing: [] }
const gateway = 'https://hospital.example'
const away = new InsituError('PeerUnavailable', 'the server does not answer', { nextStep: 'Try again.' })
/** For other lists of several gateways. */
export const missing: readonly Source[] = [
  { gateway, state: 'away', error: away },
  { gateway: `https://${'a-long-name.'.repeat(6)}example`, state: 'waits' },
  { gateway: 'https://bank.example', state: 'failed', error: new InsituError('ContractMismatch', HOSTILE) },
]
const named = (one: typeof succeeded, name: string) => ({ ...one, names: { [one.workflowDid]: name } })
const every = [
  live,
  { ...live, phase: 'Registered' as const, position: 2, history: [] },
  succeeded,
  failed('OutputRejected', '', '').execution,
  named(failed('StoppedByOwner', '', '', 'Stopped').execution, HOSTILE),
].map((one, at) => ({ ...one, workflowExecutionId: one.workflowExecutionId.replace(/.$/, 'abcdefg'.charAt(at)) }))

function page(...children: readonly Child[]): Node {
  const host = h('div', { class: 'page' })
  replaceChildren(host, ...children)
  return host
}

export const gallery: Readonly<Record<string, () => Node>> = {
  'signed out': () => page(...welcomeView('Executions', { kind: 'signed-out' })),
  'looking for the account': () => page(...welcomeView('Executions', { kind: 'looking' })),
  'the wallet said no': () =>
    page(...welcomeView('Executions', { kind: 'signed-out', error: new InsituError('RejectedByUser', 'no') })),
  asking: () => page(...executionsView({ ...base, items: undefined, missing: [{ gateway, state: 'asking' }] })),
  empty: () => page(...executionsView(base)),
  every: () => page(...executionsView({ ...base, items: every, hasMore: true })),
  'gateways that are missing': () => page(...executionsView({ ...base, items: every, missing })),
  'no gateway answers': () => page(...executionsView({ ...base, items: undefined, missing })),
}
