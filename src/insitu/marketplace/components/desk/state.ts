import type { AssetSummary, ExecutionView } from 'insitu'
import type { DeskFigures, OwnedData } from 'insitu/desk'
import type { Listed } from '../../elements/lists.js'
import type { Token } from '../../elements/site.js'
import type { Surroundings } from '../execution/state.js'

/** An algorithm in the version that ran. */
export interface Ran {
  readonly did: string
  readonly checksum: string | undefined
}

/** What an execution let out and paid, as its verified receipt says; `waits`: the chain has no hash of it yet. */
export type Proof =
  | { readonly kind: 'checking' }
  | { readonly kind: 'broken'; readonly error: unknown }
  | {
      readonly kind: 'holds' | 'waits'
      readonly files: number
      readonly bytes: number
      /** Log text that the consumer could read. */
      readonly logBytes: number
      /** The account's part of the charge, in base units. */
      readonly got: bigint
      readonly algorithms: readonly Ran[]
      readonly receipt: object
    }

/** All that the desk shows. */
export interface DeskState extends Listed<ExecutionView> {
  readonly address: string
  readonly token: Token
  /** Milliseconds since 1970, by the clock of this page. */
  readonly now: number
  /** DID of the data set whose runs are shown; undefined for all of them. */
  readonly reading?: string | undefined
  /** What each gateway that answered says. */
  readonly figures: ReadonlyMap<string, DeskFigures>
  /** Undefined until the catalogue has answered. */
  readonly assets: readonly AssetSummary[] | undefined
  readonly hasMoreAssets: boolean
  /** By the id of the execution. */
  readonly proofs: ReadonlyMap<string, Proof>
  /** By the DID of the workflow, for what is going on. */
  readonly around: ReadonlyMap<string, Surroundings>
  /** Number of a version, by the DID and the checksum of an algorithm. */
  readonly versions: ReadonlyMap<string, number>
  /** The execution or asset that an action is about, and how far it is. */
  readonly doing?: { readonly what: string; readonly message: string } | undefined
  readonly error?: unknown
}

/** What left since a moment by verified receipts, and of how many runs. */
export interface Left {
  readonly bytes: number
  readonly runs: number
  /** Ended since, and not proved, or not yet. */
  readonly unproved: number
  /** Earlier runs of that time are not loaded yet. */
  readonly isPart: boolean
}

/** Return what left since the sums of the gateways begin; undefined before one has answered. Log text counts. */
export function leftSince({ items, hasMore, proofs, figures }: DeskState): Left | undefined {
  const [since] = [...figures.values()].map(one => Date.parse(one.since)).sort((one, other) => one - other)
  if (since === undefined || items === undefined) return undefined
  const ended = items.filter(({ endedAt }) => endedAt && Date.parse(endedAt) >= since)
  const proved = ended.flatMap(one => {
    const proof = proofs.get(one.workflowExecutionId)
    return proof !== undefined && 'bytes' in proof ? [proof.bytes + proof.logBytes] : []
  })
  const oldest = Math.min(...items.map(({ createdAt }) => Date.parse(createdAt)))
  return {
    bytes: proved.reduce((sum, one) => sum + one, 0),
    ...{ runs: proved.length, unproved: ended.length - proved.length, isPart: hasMore && oldest >= since },
  }
}

/** Return the sum of what all gateways say. */
export function sumOf({
  figures,
}: Pick<DeskState, 'figures'>): Pick<DeskFigures, 'received' | 'payments' | 'escrow' | 'waiting'> {
  const nothing = { received: 0n, payments: 0, escrow: 0n, waiting: 0 }
  return [...figures.values()].reduce(
    (sum, one) => ({
      received: sum.received + one.received,
      payments: sum.payments + one.payments,
      escrow: sum.escrow + one.escrow,
      waiting: sum.waiting + one.waiting,
    }),
    nothing,
  )
}

/** Return what the gateways say of a data set together; undefined before one has answered. */
export function dataOf({ figures }: Pick<DeskState, 'figures'>, did: string): OwnedData | undefined {
  const told = [...figures.values()].flatMap(({ dataSets }) => dataSets.filter(data => data.did === did))
  if (told.length === 0) return undefined
  return {
    did,
    paused: told.some(({ paused }) => paused),
    stopping: told.some(({ stopping }) => stopping),
    openAgreements: told.reduce((sum, { openAgreements }) => sum + openAgreements, 0),
  }
}
