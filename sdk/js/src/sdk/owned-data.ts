import { flag, integer, list, object, optional, text, wireAmount } from '../domain/shape.js'
import type { CallControl } from './account.js'
import type { AccountClient } from './account-client.js'
import type { AssetSummary } from './assets.js'

/** A data set of the account, as a gateway has it. */
export interface OwnedData {
  readonly did: string
  readonly paused: boolean
  /** The pause also stops what runs. */
  readonly stopping: boolean
  /** Agreements under which something may still start. */
  readonly openAgreements: number
}

/** The account's money at a gateway in base units, and what is open there, as the gateway remembers it. */
export interface DeskFigures {
  /** 30 days ago, as RFC 3339. */
  readonly since: string
  /** What was paid to the account since then, by so many settled charges. */
  readonly received: bigint
  readonly payments: number
  /** The account's parts of prices that are locked, unpaid, and may still be settled; of so many agreements. */
  readonly escrow: bigint
  readonly waiting: number
  readonly dataSets: readonly OwnedData[]
}

/** Reads them. */
export const FIGURES = /* @__PURE__ */ (() =>
  object({
    ...{ since: text, received: wireAmount, payments: integer(), escrow: wireAmount, waiting: integer() },
    dataSets: list(object({ did: text, paused: flag, stopping: flag, openAgreements: integer() })),
  }))()

/** What an account owns, as the catalogue says: nothing is proved. */
export interface OwnedAssets {
  readonly summaries: readonly AssetSummary[]
  /** Asks for what comes next; undefined on the last page. */
  readonly after: string | undefined
}

/** Which part of the list is wanted. */
export interface OwnedOptions {
  /** `after` of the page before. */
  readonly after?: string | undefined
  /** The most on a page, 1 to 50. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

const IDS = /* @__PURE__ */ (() => object({ ids: list(text), after: optional(text) }))()

/** List what an account owns; see `Desk.assets`. */
export async function ownedAssets(
  { account, assets, parts: { http, metadataUrl } }: AccountClient,
  { after, limit = 25, signal }: OwnedOptions,
): Promise<OwnedAssets> {
  const params = { owner: account, after, limit }
  const found = await http.read(IDS, 'GET', `${metadataUrl}/api/v1/metadata/assets`, { params, signal })
  if (found.ids.length === 0) return { summaries: [], after: undefined }
  const { summaries } = await assets.summaries(found.ids, signal && { signal })
  return { summaries, after: found.after }
}

/** How a data set is paused. */
export interface PauseOptions extends CallControl {
  /** Also stop what runs at this gateway. */
  readonly stopRunning?: boolean | undefined
}

/** What a pause did. */
export interface Paused {
  readonly did: string
  readonly paused: boolean
  /** Only this gateway obeys, because its own account owns the data set. */
  readonly hereAlone: boolean
}

/** Reads it. */
export const PAUSED = /* @__PURE__ */ (() => object({ did: text, paused: flag, hereAlone: flag }))()
