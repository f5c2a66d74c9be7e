import { commonTypes } from './file-types.js'
import {
  type Algorithm,
  admits,
  allowsAlgorithm,
  DEFAULT_MAX_EXECUTIONS,
  effectiveLogBytes,
  effectiveLogs,
  failuresAreFree,
  type Policy,
  trusts,
} from './policy.js'

/** The policy of an input in one version. */
export interface InputPolicy {
  readonly did: string
  readonly policy: Policy
}

/** One reason why something may not run: the rule's code, the asset, and a sentence. */
export interface Refusal {
  readonly code: string
  readonly did: string
  readonly message: string
}

/** From open to strict. */
const LOGS = ['live', 'after_review', 'none'] as const
const REVISIONS = ['always', 'untilSuccess', 'none'] as const

/**
 * Return what an execution obeys. Terms of sale are the bought versions' alone; of a restriction the strictest holds, so
 * that an owner can tighten it at any time, and loosening it does not widen an old purchase. Undefined is no limit.
 *
 * @param bought - the policy of each input in the version that was bought
 * @param current - the same in the current version
 */
export function effectivePolicy(bought: readonly InputPolicy[], current: readonly InputPolicy[] = []) {
  const sold = bought.map(input => input.policy)
  const every = [...bought, ...current].map(input => input.policy)
  return {
    maxExecutions: smallest(sold.map(rules => rules.maxExecutions)) ?? DEFAULT_MAX_EXECUTIONS,
    failures: sold.length > 0 && sold.every(failuresAreFree) ? 'free' : 'charged',
    data: sold.some(rules => rules.data === 'pinned') ? 'pinned' : 'newest',
    maxBytes: smallest(every.map(rules => rules.output.maxBytes)),
    maxFiles: smallest(every.map(rules => rules.output.maxFiles)),
    maxLogBytes: smallest(every.map(effectiveLogBytes)),
    types: typesOfAll(every),
    review: every.some(rules => rules.review !== 'none') ? 'manual' : 'none',
    logs: strictest(LOGS, every.map(effectiveLogs)),
    revisions: strictest(
      REVISIONS,
      every.map(rules => rules.revisions),
    ),
    parameters: namesOfAll(every),
  } as const
}

/** The strictest of several policies. */
export type EffectivePolicy = ReturnType<typeof effectivePolicy>

/**
 * Return why these algorithms may not run for this consumer; empty if they may.
 *
 * @param inputs - the policy of every input, bought and current
 */
export function policyRefusals(
  inputs: readonly InputPolicy[],
  algorithms: readonly Algorithm[],
  consumer: string,
): Refusal[] {
  const found = inputs.flatMap(input => [
    ...algorithms
      .filter(algorithm => !allowsAlgorithm(input.policy, algorithm))
      .map(algorithm => refuse(input, algorithm)),
    ...refusalsOf(input, consumer),
  ])
  return [...new Map(found.map(refusal => [JSON.stringify(refusal), refusal])).values()]
}

function refuse({ did, policy }: InputPolicy, algorithm: Algorithm): Refusal {
  const shown = algorithm.did
    ? `${algorithm.did} at checksum ${algorithm.checksum}`
    : `a new algorithm of ${algorithm.publisher}`
  if (!trusts(policy, algorithm)) {
    return { code: 'AlgorithmNotAllowed', did, message: `the policy of ${did} does not allow ${shown}` }
  }
  const message = `the policy of ${did} trusts the publisher of ${shown}, but there is a newer version`
  return { code: 'AlgorithmOutdated', did, message }
}

function refusalsOf({ did, policy }: InputPolicy, consumer: string): Refusal[] {
  const found: Refusal[] = []
  if (!admits(policy, consumer)) {
    const message = `the policy of ${did} does not list the consumer ${consumer}`
    found.push({ code: 'ConsumerNotAllowed', did, message })
  }
  if (policy.review !== 'none') {
    found.push({ code: 'ManualReviewNotSupported', did, message: `the policy of ${did} asks for manual review` })
  }
  for (const pointer of policy.notUnderstood) {
    const message = `the policy of ${did} has the rule ${pointer}, which this version of insitu cannot obey`
    found.push({ code: 'PolicyNotUnderstood', did, message })
  }
  return found
}

function smallest(limits: readonly (number | undefined)[]): number | undefined {
  const stated = limits.filter(limit => limit !== undefined)
  return stated.length > 0 ? Math.min(...stated) : undefined
}

function strictest<T>(order: readonly [T, ...T[]], values: readonly T[]): T {
  return order[Math.max(0, ...values.map(value => order.indexOf(value)))] ?? order[0]
}

function typesOfAll(every: readonly Policy[]): readonly string[] | undefined {
  const [first, ...others] = every.map(rules => rules.output.types).filter(types => types !== undefined)
  return first === undefined ? undefined : [first, ...others].reduce(commonTypes, first)
}

function namesOfAll(every: readonly Policy[]): readonly string[] {
  const [first = [], ...others] = every.map(rules => rules.parameters ?? [])
  return [...new Set(first)].filter(name => others.every(names => names.includes(name))).sort()
}
