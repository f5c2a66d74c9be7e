/** Every state of the list of agreements. */
import type { AgreementView, ExecutionView } from 'insitu'
import { h, replaceChildren } from '../../elements/dom.js'
import { samples } from '../execution/states.js'
import { missing } from '../executions/states.js'
import type { AgreementsState, Bought } from './state.js'
import { agreementsView } from './view.js'

const { agreement, granted, succeeded, failed, HOSTILE, token, now } = samples
const PRICE = agreement.price
const failedRun: ExecutionView = failed('AlgorithmFailed', 'stage 0 ended with exit code 1', '').execution
const refundFrom = now / 1000 + 600
const reason = { code: 'PriceChanged', message: 'the price is another one now', nextStep: 'Buy again.' }

function bought(
  change: Partial<AgreementView>,
  executions: readonly ExecutionView[] = [],
  name = 'Delay by weather, New York 2013',
): Bought {
  return { agreement: { ...granted, executions: executions.length, ...change }, name, executions, refundFrom }
}

const nothing = { executionsLeft: 0, executions: 0 } as const
const open: readonly Bought[] = [
  bought({ ...agreement }, [succeeded]),
  bought({ executionsLeft: 3 }, [failedRun, failedRun], 'Length of stay by ward'),
  bought({}, [], 'Nothing ran yet'),
  bought({ status: 'created', endsAt: null, ...nothing }, [], 'Word count'),
  bought({ status: 'sent', endsAt: null, reason, ...nothing }, [], 'Word count'),
  bought({ status: 'closing', ...nothing }, [failedRun], HOSTILE),
  bought({ price: 0n }, [], 'A free one'),
]
const ended: readonly Bought[] = [
  bought({ status: 'settled', executionsLeft: 0, charged: PRICE }, [succeeded], 'All runs used'),
  bought({ status: 'expired', ...nothing }, [failedRun], 'Expired'),
  bought({ status: 'closed', returned: PRICE, ...nothing }, [], 'Closed'),
  bought({ status: 'closed', charged: PRICE, ...nothing }, [failedRun], 'Closed after a failed run'),
  bought({ status: 'refused', returned: PRICE, reason, ...nothing }, [], 'Refused'),
  bought({ status: 'declined', reason, ...nothing }, [], 'Not granted'),
  bought({ status: 'refunded', returned: PRICE, ...nothing }, [], 'Readmissions within 30 days'),
  bought({ status: 'lost', reason, ...nothing }, [], 'Lost'),
]
const base: AgreementsState = { address: granted.consumer, token, now, items: [], hasMore: false, missing: [] }
const STATES: Readonly<Record<string, AgreementsState>> = {
  asking: { ...base, items: undefined, missing: [{ gateway: 'https://hospital.example', state: 'asking' }] },
  empty: base,
  open: { ...base, items: open, hasMore: true },
  ended: { ...base, items: ended },
  'gateways that are missing, list kept': { ...base, items: open, missing },
  'no gateway answers': { ...base, items: undefined, missing },
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [
    name,
    () => {
      const host = h('div', { class: 'page' })
      replaceChildren(host, ...agreementsView(state))
      return host
    },
  ]),
)

/** For the gallery of one agreement. */
export const samplesOfAgreements = { open, ended }
