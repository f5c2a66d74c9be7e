import type { AgreementView, ExecutionView, ResultFile } from 'insitu'
import type { Token } from '../../elements/site.js'
import type { Preview } from '../result/preview.js'

/** What the documents of an execution say about it: as large as what stays, and the rules for what may leave. */
export interface Surroundings {
  readonly data: readonly { readonly did: string; readonly name: string; readonly bytes: number | undefined }[]
  readonly rules: Rules
  /** DIDs of what runs. */
  readonly algorithms: readonly string[]
  /** Seconds for all stages. */
  readonly longest: number | undefined
  readonly server: string | undefined
}

/** What may leave; undefined is no limit. */
export interface Rules {
  readonly maxBytes: number | undefined
  readonly maxFiles: number | undefined
  readonly types: readonly string[] | undefined
}

/** A file on its way to this page, or in it. */
export type Transfer =
  | { readonly kind: 'flowing'; readonly received: number }
  | { readonly kind: 'whole' }
  | { readonly kind: 'broken'; readonly error: unknown }

/** The files of a result. */
export interface Result {
  readonly files: readonly ResultFile[]
  /** Until when they are kept. */
  readonly expiresAt?: string | undefined
  readonly isExpired?: boolean
  readonly transfers: Readonly<Record<number, Transfer>>
  readonly previews: Readonly<Record<number, Preview>>
}

/** What the page found out about the receipt. `waits`: it holds, and the chain has no settlement of it yet. */
export type Receipt =
  | { readonly kind: 'checking' }
  | {
      readonly kind: 'holds' | 'waits'
      readonly checked: readonly string[]
      readonly rule: 'full' | 'ifNoneSucceeds' | 'never'
    }
  | { readonly kind: 'broken'; readonly error: unknown }

/** All that the page of an execution shows. */
export interface ExecutionState {
  readonly execution: ExecutionView
  readonly token: Token
  /** Milliseconds since 1970, by the clock of this page. */
  readonly now: number
  readonly agreement?: AgreementView | undefined
  readonly surroundings?: Surroundings | undefined
  /** The rules for output that the receipt states; they count before those of today's documents. */
  readonly signedRules?: Rules | undefined
  readonly result?: Result | undefined
  readonly receipt?: Receipt | undefined
  readonly isStopping?: boolean
  /** The provider does not answer, and is asked again. */
  readonly isAway?: boolean
  /** What an action met. */
  readonly error?: unknown
}

/** Return whether an execution has ended. */
export function hasEnded({ phase }: Pick<ExecutionView, 'phase'>): boolean {
  return ['Succeeded', 'Failed', 'Stopped'].includes(phase)
}
