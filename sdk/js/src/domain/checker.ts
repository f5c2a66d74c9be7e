import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError, type Violation } from '../errors.js'
import { escapePointer, type Json } from './canonical.js'
import type { Reader } from './shape.js'

/** The most problems of a report: nobody reads more, and a hostile document must not cause a huge one. */
const MOST_PROBLEMS = 100

/** Rules that are in the error table themselves; any other broken one is an `InvalidDocument`. */
const RULES = [
  errors.ManualReviewNotSupported,
  errors.NoComputeService,
  errors.OutputDidNotSupported,
  errors.PolicyNotUnderstood,
  errors.ServerAmbiguous,
  errors.ServerInstancesNotSupported,
  errors.StageOrder,
  errors.TimelockNotSupported,
  errors.TooManyStages,
]

/** Collects what is wrong at one place of a document, so that its author sees everything at once. */
export class Checker {
  readonly pointer: string
  readonly problems: Violation[]

  constructor(pointer = '', problems: Violation[] = []) {
    this.pointer = pointer
    this.problems = problems
  }

  /** Return a checker for a member or item below this place, which reports into the same list. */
  at(...segments: readonly (string | number)[]): Checker {
    return this.below(segments.map(segment => `/${escapePointer(String(segment))}`).join(''))
  }

  /** Return a checker for the place that a pointer leads to from here. */
  below(pointer: string): Checker {
    return new Checker(this.pointer + pointer, this.problems)
  }

  /** Report that this place breaks a rule. */
  report(code: string, message: string): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ pointer: this.pointer, code, message })
  }

  /** Report unless a condition holds, and return the condition. */
  require(holds: boolean, code: string, message: string): boolean {
    if (!holds) this.report(code, message)
    return holds
  }

  /** Return what `work` gives; if it refuses, report that here, and return undefined. */
  attempt<T>(work: () => T, code: string): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!isInsituError(error)) throw error
      this.report(code, error.detail)
      return undefined
    }
  }

  /** Read the value of this place, report everything that is of the wrong type in it, and return undefined then. */
  read<T>(reader: Reader<T>, value: Json | undefined): T | undefined {
    let isRead = true
    const attempt = <P>(work: () => P): P => {
      try {
        return work()
      } catch (error) {
        if (!isInsituError(error)) throw error
        isRead = false
        this.problems.push(...error.problems.slice(0, MOST_PROBLEMS - this.problems.length))
        return undefined as P // nobody sees it, because the whole is not read then
      }
    }
    const read = attempt(() => reader(value, { pointer: this.pointer, attempt }))
    return isRead ? read : undefined
  }

  /**
   * Throw an error with all problems if anything was reported. Its code is the one that all of them share, if that is in
   * the error table, and otherwise `InvalidDocument`.
   */
  throwIfAny(): void {
    const [first] = this.problems
    if (first === undefined) return
    const isShared = this.problems.every(problem => problem.code === first.code)
    const row = isShared ? RULES.find(rule => rule.code === first.code) : undefined
    const { pointer, message } = first
    throw new InsituError(row ?? errors.InvalidDocument, message, { pointer, problems: this.problems })
  }
}
