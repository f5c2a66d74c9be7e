import type { ErrorCode, ErrorKind } from './api/error-codes.gen.js'
import type { ErrorRow } from './api/errors.gen.js'

export type { ErrorCode, ErrorKind }

/** One thing that is wrong in a document: its place (a JSON pointer, RFC 6901), the broken rule, and a sentence. */
export interface Violation {
  readonly pointer: string
  readonly code: string
  readonly message: string
}

/** What an error says besides its code and detail. */
export interface ErrorFacts {
  /** JSON pointer of the offending member, where the error is about one place of a document. */
  readonly pointer?: string | undefined
  /** The single violations, where a document has several. */
  readonly problems?: readonly Violation[] | undefined
  /** Facts for programs: ids, the two sides of a comparison. Never a secret. */
  readonly context?: Readonly<Record<string, unknown>> | undefined
  /** What a server said about the error, if the code is given alone. */
  readonly kind?: ErrorKind | undefined
  readonly nextStep?: string | undefined
  readonly retry?: boolean | undefined
  readonly cause?: unknown
}

/**
 * Every refusal and failure of this package; `code` says exactly which.
 *
 * Codes are stable (`insitu/domain` has the whole table as `ERRORS`), and a newer server may send one that is not in the
 * table: it is kept as it came. A cancelled call rejects with the reason of its `AbortSignal` instead, and an argument of
 * the wrong type is a `TypeError`.
 */
export class InsituError extends Error {
  override readonly name = 'InsituError'
  declare readonly code: ErrorCode | (string & {})
  declare readonly detail: string
  /** The class of the error: what kind of repair it needs. */
  declare readonly kind: ErrorKind
  declare readonly pointer: string | undefined
  declare readonly problems: readonly Violation[]
  declare readonly context: Readonly<Record<string, unknown>>
  /** What the person who meets the error should do next; empty if nobody said. */
  declare readonly nextStep: string
  /** Whether the same call may work later. */
  declare readonly retry: boolean

  /**
   * @param code - a row of the error table, or the code alone if a server sent it
   * @param detail - what happened this time, for a person; never a secret or the content of a data set
   */
  constructor(code: ErrorRow | string, detail: string, facts: ErrorFacts = {}) {
    const row = typeof code === 'string' ? { code, kind: 'Failure' as const, nextStep: '', retry: false } : code
    super(`${row.code}: ${detail}`, facts) // of which an Error takes the cause
    this.code = row.code
    this.detail = detail
    this.kind = facts.kind ?? row.kind
    this.nextStep = facts.nextStep ?? row.nextStep
    this.retry = facts.retry ?? row.retry
    this.pointer = facts.pointer
    this.problems = facts.problems ?? []
    this.context = facts.context ?? {}
  }
}

/** Return whether a value is an error of this package, also of another copy of it in the same program. */
export function isInsituError(value: unknown): value is InsituError {
  return value instanceof Error && value.name === 'InsituError' && 'code' in value
}
