/** What an ended execution costs: the full price, nothing now (the price at the end if nothing succeeds), or nothing. */
export type Charge = 'full' | 'ifNoneSucceeds' | 'never'

/** Reason of a success that delivered neither a file nor log text: it costs nothing (ADR 0098). */
export const NOTHING_DELIVERED = 'NothingDelivered'

/** Otherwise an algorithm prints its result, fails, and computes for nothing. */
const NEVER_FREE = ['OutputRejected', 'StoppedByConsumer', 'TimeLimitExceeded']
const CONSUMERS_RISK = [
  'AlgorithmFailed',
  'DiskLimitExceeded',
  'ForbiddenSystemCall',
  'LogLimitExceeded',
  'MemoryLimitExceeded',
  'ProcessLimitExceeded',
]
/** Ends that somebody else caused, who may be the consumer with another account. */
const NOT_ALWAYS_THEIRS = ['AlgorithmChanged', 'ConfigurationFailed', 'InputChanged', 'StoppedByOwner']

/**
 * Return what an ended execution costs (ADR 0098, ADR 0125).
 *
 * @param reason - code of the reason of the end, if it has one
 * @param delivered - whether log text reached the consumer
 * @param failures - what was agreed about failures of the algorithm
 */
export function chargeOf(
  outcome: 'Succeeded' | 'Failed' | 'Stopped',
  reason: string | undefined,
  delivered: boolean,
  failures: 'charged' | 'free' = 'charged',
): Charge {
  if (outcome === 'Succeeded') return reason === NOTHING_DELIVERED ? 'never' : 'full'
  if (reason === undefined) return 'never'
  const risk = failures === 'free' ? NEVER_FREE : [...NEVER_FREE, ...CONSUMERS_RISK]
  const charged = risk.includes(reason) || (delivered && NOT_ALWAYS_THEIRS.includes(reason))
  return charged ? 'ifNoneSucceeds' : 'never'
}
