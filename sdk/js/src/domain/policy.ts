import { beginning, plainDigits } from './bytes.js'
import { escapePointer, isObject, type Json, type JsonObject } from './canonical.js'
import { type Address, sameAddress } from './ids.js'
import {
  address,
  anyObject,
  integer,
  list,
  neededText,
  object,
  oneOf,
  optional,
  type Place,
  type Read,
  type Reader,
  text,
  withDefault,
} from './shape.js'

/** The version of the rules' meaning that this package understands. */
export const POLICY_VERSION = 1

export const DEFAULT_MAX_EXECUTIONS = 100

/** Bytes of log text for an owner who limits the bytes or types of files and does not mention logs. */
const DEFAULT_MAX_LOG_BYTES = 64 * 1024

/** The most log text with which failures can be free: otherwise one prints the result, fails, and pays nothing. */
export const FREE_FAILURE_LOG_BYTES = 16 * 1024

/** Unknown members that are named: a hostile document must not cause a huge answer. */
const MOST_UNKNOWN = 100

/** Reads one of a few texts, or else a value of another kind. */
function wordOr<const W extends string, T>(words: readonly W[], reader: Reader<T>): Reader<W | T> {
  return (value: Json | undefined, place: Place) =>
    typeof value === 'string' ? oneOf(...words)(value, place) : reader(value, place)
}

const REFERENCE_MEMBERS = { did: neededText, checksum: neededText }

const OUTPUT_MEMBERS = /* @__PURE__ */ (() => ({
  /** Bytes of all files and of their paths in UTF-8. */
  maxBytes: optional(integer()),
  maxFiles: optional(integer()),
  /** Bytes of text that one execution may show as log. */
  maxLogBytes: optional(integer()),
  /** File name suffixes that may leave. */
  types: optional(list(text)),
}))()

const POLICY_MEMBERS = /* @__PURE__ */ (() => ({
  version: withDefault(integer(Number.MIN_SAFE_INTEGER), POLICY_VERSION),
  /** The algorithms that may run, each in one version. Absent with publishers: only theirs. */
  algorithms: optional(wordOr(['any'], list(object(REFERENCE_MEMBERS)))),
  /** Addresses whose algorithms are trusted, each in its current version (ADR 0120). */
  publishers: withDefault(list(address), []),
  /** Who may buy and execute. */
  consumers: withDefault(wordOr(['any', 'approved'], list(address)), 'any'),
  /** What the data may be used for, in the owner's words. */
  use: optional(text),
  output: withDefault(object(OUTPUT_MEMBERS), {
    maxBytes: undefined,
    maxFiles: undefined,
    maxLogBytes: undefined,
    types: undefined,
  }),
  review: withDefault(wordOr(['none', 'manual'], anyObject), 'none'),
  logs: optional(oneOf('live', 'after_review', 'none')),
  /** Whether another version of the bought workflow may run. */
  revisions: withDefault(oneOf('none', 'untilSuccess', 'always'), 'none'),
  /** Names of the parameters that an execution may set; none if it is absent. */
  parameters: optional(list(text)),
  /** Whether the price is due at the end of an agreement in which nothing succeeded. */
  failures: withDefault(oneOf('charged', 'free'), 'charged'),
  /** Whether an execution reads the files of the current version, or those of the bought one. */
  data: withDefault(oneOf('newest', 'pinned'), 'newest'),
  maxExecutions: withDefault(integer(1), DEFAULT_MAX_EXECUTIONS),
}))()

const MEMBERS = /* @__PURE__ */ (() => object(POLICY_MEMBERS))()

/** `main.policy` of a compute service: the data owner's rules. An absent policy allows any algorithm. */
export type Policy = Read<typeof MEMBERS> & {
  /** JSON pointers to what this package cannot obey; nothing may run under such a policy. */
  readonly notUnderstood: readonly string[]
}

/** Reads a policy, leniently; what is unknown is in `notUnderstood`. */
export const policy: Reader<Policy> = (value, place) => {
  const json = anyObject(value, place)
  const read = MEMBERS(json, place)
  return { ...read, notUnderstood: notUnderstood(json, read) }
}

function notUnderstood(json: JsonObject, read: Read<typeof MEMBERS>): string[] {
  const kept: string[] = []
  if (read.version !== POLICY_VERSION) kept.push('/version')
  if (read.consumers === 'approved') kept.push('/consumers')
  const unknown = unknownMembers('', json, POLICY_MEMBERS)
  if (json['output'] !== undefined) unknown.push(...unknownMembers('/output', json['output'], OUTPUT_MEMBERS))
  if (Array.isArray(json['algorithms'])) {
    const references: readonly Json[] = json['algorithms']
    references.forEach((reference, at) => {
      unknown.push(...unknownMembers(`/algorithms/${at}`, reference, REFERENCE_MEMBERS))
    })
  }
  return [...kept, ...unknown.slice(0, MOST_UNKNOWN)]
}

function unknownMembers(place: string, part: Json, known: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(isObject(part) ? part : {}).filter(name => !Object.hasOwn(known, name))
  return names.map(name => `${place}/${escapePointer(beginning(name, MOST_UNKNOWN))}`)
}

/** One version of an algorithm that somebody wants to run. */
export interface Algorithm {
  readonly did: string
  /** On-chain checksum of this version's document. */
  readonly checksum: string
  /** The creator, from whom the DID derives. */
  readonly publisher: Address
  /** Who registered this version. */
  readonly registrant: Address
  /** Whether it is the registry's current version. */
  readonly current: boolean
}

/** Return whether every algorithm may run. Naming publishers restricts, even together with `any`. */
export function allowsAny(rules: Policy): boolean {
  return rules.publishers.length === 0 && (rules.algorithms === undefined || rules.algorithms === 'any')
}

/** Return whether this version of an algorithm may run. */
export function allowsAlgorithm(rules: Policy, algorithm: Algorithm): boolean {
  if (allowsAny(rules) || (algorithm.current && trusts(rules, algorithm))) return true
  const listed = typeof rules.algorithms === 'object' ? rules.algorithms : []
  return listed.some(reference => {
    return reference.did === algorithm.did && plainDigits(reference.checksum) === plainDigits(algorithm.checksum)
  })
}

/**
 * Return whether both the creator of an algorithm and who registered this version are trusted publishers. One of them is
 * not enough: an account that buys a trusted algorithm's DID registers other code under it.
 */
export function trusts(rules: Policy, algorithm: Algorithm): boolean {
  return [algorithm.publisher, algorithm.registrant].every(account => {
    return rules.publishers.some(publisher => sameAddress(publisher, account))
  })
}

/** Return whether a consumer may buy and execute. */
export function admits(rules: Policy, consumer: string): boolean {
  return typeof rules.consumers === 'string' || rules.consumers.some(listed => sameAddress(listed, consumer))
}

/** Return whether the consumer sees the algorithm's logs; by default live if nothing is reviewed. */
export function effectiveLogs(rules: Policy): 'live' | 'after_review' | 'none' {
  return rules.logs ?? (rules.review === 'none' ? 'live' : 'after_review')
}

/**
 * Return how many bytes of log text one execution may show, or undefined if this owner does not limit it. If the bytes
 * or the types of files are limited, logs must not be a way around that.
 */
export function effectiveLogBytes(rules: Policy): number | undefined {
  const { maxBytes, maxLogBytes, types } = rules.output
  if (maxLogBytes !== undefined || (maxBytes === undefined && types === undefined)) return maxLogBytes
  return maxBytes === undefined ? DEFAULT_MAX_LOG_BYTES : Math.min(maxBytes, DEFAULT_MAX_LOG_BYTES)
}

/** Return whether failures are free, and so little of them reaches the consumer that they can be. */
export function failuresAreFree(rules: Policy): boolean {
  const log = effectiveLogBytes(rules)
  const isShort = effectiveLogs(rules) === 'none' || (log !== undefined && log <= FREE_FAILURE_LOG_BYTES)
  return rules.failures === 'free' && isShort
}
