import { type Terms, totalOf } from '../domain/agreement.js'
import { didOfHex } from '../domain/did.js'
import type { AgreementId } from '../domain/ids.js'
import type { CallControl } from './account.js'
import type { AgreementState } from './agreement-chain.js'

/** Where an agreement stands, in one word. */
export type AgreementStatus = 'created' | 'locked' | 'granted' | 'refunded' | 'settled' | 'closed' | 'expired'

/** A service agreement: its terms, and where it stood on chain when it was looked up. */
export interface Agreement {
  /** serviceAgreementId. It is all that an execution needs, even later and from elsewhere. */
  readonly id: AgreementId
  readonly terms: Terms
  readonly state: AgreementState
  readonly status: AgreementStatus
  /** Whether executions may start. */
  readonly executable: boolean
  /** From when on no execution may start, in seconds since 1970. */
  readonly endsAt: number
  /** Base units. */
  readonly price: bigint
  /** The workflow that was bought. */
  readonly workflowDid: string
}

/** How a workflow is bought. */
export interface BuyOptions extends CallControl {
  /** serviceDefinitionId of the first input's compute service; its only one if it is left out. */
  readonly serviceIndex?: number | undefined
  /** Base units; a higher price is refused before the wallet is asked. */
  readonly maxPrice?: bigint | undefined
  /**
   * The random part of the id, 64 hexadecimal digits. Store it before calling and you can repeat the call: an agreement
   * of this account with this seed is found and not bought again.
   */
  readonly seed?: string | undefined
}

/** How an agreement is closed. */
export interface CloseOptions extends CallControl {
  /** Base units; a higher charge is refused, and nothing is closed. */
  readonly maxCharge?: bigint | undefined
}

/** Return an agreement as it stands at a time of the chain. */
export function agreementAt(now: number, id: AgreementId, terms: Terms, state: AgreementState): Agreement {
  const price = totalOf(terms)
  const endsAt = state.start + terms.timeout
  const executable = state.granted && !state.closed && !state.refunded && now < endsAt
  const status = statusOf(state, price, now < endsAt)
  return { id, terms, state, status, executable, endsAt, price, workflowDid: didOfHex(terms.workflowId) }
}

function statusOf(state: AgreementState, price: bigint, isOpen: boolean): AgreementStatus {
  if (state.refunded) return 'refunded'
  if (state.closed) return 'closed'
  if (!state.granted) return state.locked ? 'locked' : 'created'
  if (price > 0n && state.settled === price) return 'settled'
  return isOpen ? 'granted' : 'expired'
}
