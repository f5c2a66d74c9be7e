import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'

/** The times that go into the terms, in seconds. */
export interface AgreementTimes {
  /** The provider grants before this, counted from the lock; from then on a refund is possible. */
  readonly grantTimeout: number
  /** Executions start before this, counted from the lock. */
  readonly timeout: number
  /** Executions are settled before this, counted from the end of `timeout`. */
  readonly settleTimeout: number
  /** How long after a quote its payment may be locked. */
  readonly lockTimeout: number
}

/** What a document says about the times of a condition. */
export interface ConditionTimes {
  readonly name: string
  readonly timelock: number
  readonly timeout: number
}

const DEFAULT_TIMEOUT = 600
/** Default time, beyond the longest execution, to publish a result and settle it. */
const SETTLE_MARGIN = 3600
/** The least time for that. */
const SETTLEMENT_LATENCY = 60
/** The most seconds that a quote holds, whatever the services say: owners sell at an old price for no longer. */
const LONGEST_QUOTE = 3600
/** The contract refuses longer timeouts, so that no money can be locked for good. */
export const MAX_TIMEOUT = 366 * 86400

/**
 * Map the timeouts of a compute service and of its conditions to those of an agreement, with defaults for 0.
 *
 * @param timeout - `main.timeout` of the service
 * @param longestExecution - largest `maxExecutionTime` of its servers
 * @throws InsituError `TimelockNotSupported`; `InvalidDocument` if a time is negative or above 366 days, or if settling
 * would end before an execution that started in time
 */
export function agreementTimes(
  timeout: number,
  conditions: readonly ConditionTimes[],
  longestExecution: number,
): AgreementTimes {
  conditions.forEach((condition, at) => {
    if (condition.timelock === 0) return
    const pointer = `${CONDITIONS}/${at}/timelock`
    throw new InsituError(
      errors.TimelockNotSupported,
      `condition ${condition.name} has timelock ${condition.timelock}`,
      {
        pointer,
      },
    )
  })
  const stated = (name: string): number => conditions.find(condition => condition.name === name)?.timeout ?? 0
  const times: AgreementTimes = {
    grantTimeout: stated('execCompute') || Math.min(DEFAULT_TIMEOUT, timeout),
    timeout,
    settleTimeout: stated('escrowReward') || longestExecution + SETTLE_MARGIN,
    lockTimeout: stated('lockReward') || DEFAULT_TIMEOUT,
  }
  const at = (name: string): string => pointerOf(conditions, name)
  requireInRange(times.timeout, '/timeout')
  requireInRange(times.lockTimeout, at('lockReward'))
  requireInRange(times.grantTimeout, at('execCompute'))
  requireInRange(times.settleTimeout, at('escrowReward'))
  if (times.grantTimeout > times.timeout) {
    throw invalid("a grant after the service's timeout would be useless", at('execCompute'))
  }
  const least = longestExecution + SETTLEMENT_LATENCY
  if (times.settleTimeout < least) {
    const detail = `${times.settleTimeout} s is too short to settle an execution that starts just in time: use ${least} s`
    throw invalid(detail, at('escrowReward'))
  }
  return times
}

/** Return the times of an agreement on several services: the first one's, with the shortest lock timeout of all. */
export function jointTimes(first: AgreementTimes, others: readonly AgreementTimes[]): AgreementTimes {
  const lockTimeout = Math.min(LONGEST_QUOTE, first.lockTimeout, ...others.map(times => times.lockTimeout))
  return { ...first, lockTimeout }
}

const CONDITIONS = '/serviceAgreementTemplate/conditions'

function pointerOf(conditions: readonly ConditionTimes[], name: string): string {
  const at = conditions.findIndex(condition => condition.name === name)
  return at < 0 ? CONDITIONS : `${CONDITIONS}/${at}/timeout`
}

function requireInRange(seconds: number, pointer: string): void {
  if (seconds > 0 && seconds <= MAX_TIMEOUT) return
  throw invalid(`${seconds} s is not between 1 and ${MAX_TIMEOUT} s`, pointer)
}

function invalid(detail: string, pointer: string): InsituError {
  return new InsituError(errors.InvalidDocument, detail, { pointer })
}
