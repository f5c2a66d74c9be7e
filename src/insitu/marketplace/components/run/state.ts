/** Everything that the page of a run shows. */
import type { TokenFacts, Verdict } from 'insitu'
import type { TypedData } from 'insitu/domain'
import type { DataSet, Form, Offer, Pinned } from './plan.js'

/** What is known of the verdict for what is filled in. */
export type Judgement =
  | { readonly is: 'open' }
  | { readonly is: 'asked' }
  | { readonly is: 'failed'; readonly error: unknown }
  | {
      readonly is: 'known'
      readonly verdict: Verdict
      readonly at: number
      readonly held: bigint
      /** What the escrow may take from the account of a contract, which cannot sign a permit. */
      readonly allowance?: bigint | undefined
    }

/** One thing that the person or the provider does. */
export interface Step {
  readonly name: StepName
  readonly state: 'to come' | 'waiting' | 'done' | 'refused'
  /** What the wallet is asked, while it is. */
  readonly asks?: TypedData | string | undefined
}

/** In this order; the first four are signatures. */
export type StepName = 'sign-in' | 'publication' | 'permit' | 'terms' | 'send' | 'start'

export interface RunState {
  readonly phase: 'no account' | 'loading' | 'not loaded' | 'form' | 'signing' | 'started'
  readonly account: string
  readonly gateway: string
  readonly escrow: string
  readonly token: TokenFacts | undefined
  readonly inputs: readonly DataSet[]
  readonly workflows: readonly Offer[]
  readonly algorithms: readonly Offer[]
  readonly form: Form
  readonly pinned: Pinned | undefined
  /** Numbers of the stages of the workflow that is chosen. */
  readonly stages: readonly number[]
  readonly judgement: Judgement
  readonly steps: readonly Step[]
  /** The purchase is on chain already, from before the page was loaded again. */
  readonly isBought: boolean
  /** Where the execution is, once it has started. */
  readonly execution: string
  readonly error?: unknown
}

export const EMPTY_FORM: Form = {
  ...{ what: 'script', workflow: '', algorithm: '', script: undefined },
  ...{ entrypoint: '', image: '', server: '', parameters: {} },
}

export const EMPTY: RunState = {
  ...{ phase: 'no account', account: '', gateway: '', escrow: '', token: undefined },
  ...{ inputs: [], workflows: [], algorithms: [], form: EMPTY_FORM, pinned: undefined, stages: [] },
  ...{ judgement: { is: 'open' }, steps: [], isBought: false, execution: '' },
}

/** What a person can do on the page. */
export interface RunActions {
  chooseAccount(): void
  load(): void
  change(form: Partial<Form>): void
  chooseScript(file: File | undefined): void
  check(): void
  sign(): void
  back(): void
}

/** Return what is still to be signed and done for a purchase, in order. */
export function stepsFor(isPublished: boolean, total: bigint, isContract = false): readonly Step[] {
  const names: readonly StepName[] = [
    'sign-in',
    ...(isPublished ? [] : (['publication'] as const)),
    // The account of a contract cannot sign a permit, and needs an allowance.
    ...(total > 0n && !isContract ? (['permit'] as const) : []),
    ...(['terms', 'send', 'start'] as const),
  ]
  return names.map(name => ({ name, state: 'to come' }))
}

/** Return the steps once one of them is done, and nothing waits for a wallet. */
export function doneWith(steps: readonly Step[], name: StepName): readonly Step[] {
  return steps.map(step => (step.name === name ? { ...step, state: 'done' } : step))
}

/** Return the steps once one of them waits: what came before it is done. */
export function waitingFor(steps: readonly Step[], name: StepName, asks?: TypedData | string): readonly Step[] {
  const at = steps.findIndex(step => step.name === name)
  return steps.map((step, position) => {
    if (position < at) return { ...step, state: 'done', asks: step.asks }
    return position === at ? { ...step, state: 'waiting', asks } : { ...step, state: 'to come' }
  })
}
