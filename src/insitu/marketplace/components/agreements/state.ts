import type { AgreementView, ExecutionView } from 'insitu'
import type { Listed } from '../../elements/lists.js'
import type { Token } from '../../elements/site.js'

/** An agreement with what is known around it. */
export interface Bought {
  readonly agreement: AgreementView
  /** Name of the workflow, which a stranger chose. */
  readonly name: string | undefined
  /** Its executions, newest first. */
  readonly executions: readonly ExecutionView[]
  /** When the price can be taken back, if nobody does anything; seconds since 1970. */
  readonly refundFrom?: number | undefined
  /** How many executions were bought. */
  readonly bought?: number
}

/** All that the list of agreements shows. */
export interface AgreementsState extends Listed<Bought> {
  readonly address: string
  readonly token: Token
  readonly now: number
  readonly error?: unknown
}

/** Return whether something can still begin under an agreement, or is about to. */
export function isOpen({ status, endsAt, executionsLeft }: AgreementView, now: number): boolean {
  if (['created', 'sent', 'closing'].includes(status)) return true
  return ['granted', 'settled'].includes(status) && executionsLeft > 0 && Date.parse(endsAt ?? '') > now
}

/** Return how many executions have failed. */
export function failedOf({ executions }: Bought): number {
  return executions.filter(({ phase }) => phase === 'Failed').length
}

/** Return what waits in escrow, in base units; undefined if nobody knows. */
export function lockedOf({ status, price, charged, returned }: AgreementView): bigint | undefined {
  if (status === 'lost') return undefined
  if (['settled', 'closed', 'refused', 'refunded'].includes(status)) return 0n
  return price - charged - returned
}
