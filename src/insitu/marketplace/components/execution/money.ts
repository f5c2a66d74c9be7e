import { chargeOf } from 'insitu/domain'
import type { Child } from '../../elements/dom.js'
import { amount, plain, time } from '../../elements/words.js'
import { type ExecutionState, hasEnded } from './state.js'

/** What an execution costs: a label, an amount, and a sentence. */
export interface Cost {
  readonly label: string
  readonly amount: string
  readonly sentence: Child
}

/** Return what an execution costs, as far as it is known. */
export function costOf(state: ExecutionState): Cost {
  const { execution, agreement, token } = state
  const price = agreement === undefined ? '–' : amount(agreement.price, token)
  const charge = execution.charge ?? 0n
  const paidBefore = agreement?.status === 'settled' && charge === 0n
  if (paidBefore) {
    return {
      label: 'Charged',
      amount: 'Nothing more',
      sentence: 'The agreement is paid by an earlier success. Each further run is free.',
    }
  }
  if (!hasEnded(execution)) {
    return { label: 'In escrow', amount: price, sentence: 'Charged at success. A failed run costs nothing now.' }
  }
  if (charge > 0n) return { label: 'Charged', amount: amount(charge, token), sentence: settledOf(state) }
  return freeNow(state, price)
}

function settledOf({ execution: { settled, alarm } }: ExecutionState): Child {
  if (settled) return 'Settled on chain.'
  if (alarm) return `The provider could not settle it: ${plain(alarm.message)}`
  return 'The provider is settling it on chain; until then the money stays in escrow.'
}

function freeNow(state: ExecutionState, price: string): Cost {
  const { execution, agreement, receipt } = state
  const rule = receipt && 'rule' in receipt ? receipt.rule : ruleOf(state)
  const label = 'Charged'
  if (rule === 'full') return { label, amount: 'Nothing', sentence: 'The price is nothing.' }
  if (rule === 'ifNoneSucceeds') {
    const until = agreement?.endsAt ? ['by ', time(agreement.endsAt)] : 'in time'
    const sentence = [
      price,
      ' stay in escrow. If no run succeeds ',
      until,
      ', the provider may settle with the receipt of one like this.',
    ]
    return { label, amount: 'Nothing now', sentence }
  }
  const why =
    execution.phase === 'Succeeded'
      ? 'It delivered neither a file nor log text, which is never charged.'
      : 'What ended this run is never charged.'
  return { label, amount: 'Nothing', sentence: why }
}

/** Return the rule by which an execution is charged, before its receipt is here. */
export function ruleOf({ execution: { phase, reason } }: ExecutionState): 'full' | 'ifNoneSucceeds' | 'never' {
  const outcome = phase === 'Succeeded' || phase === 'Stopped' ? phase : 'Failed'
  return chargeOf(outcome, reason?.code, true)
}
