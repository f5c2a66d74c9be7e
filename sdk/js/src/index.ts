/**
 * A client of insitu: finding assets, buying, running, and verifying.
 *
 * @packageDocumentation
 */
export type { Ddo } from './domain/ddo.js'
export type { Did } from './domain/did.js'
export type { Address } from './domain/ids.js'
export type { Change } from './domain/version-changes.js'
export { type ErrorCode, type ErrorKind, InsituError, isInsituError, type Violation } from './errors.js'
export type { Account, CallControl, Progress, WalletTransaction } from './sdk/account.js'
export {
  AccountClient,
  type AccountOptions,
  type ChainFacts,
  connectAccount,
  type ExecuteOptions,
} from './sdk/account-client.js'
export type { AgreementContracts, AgreementState, TokenFacts } from './sdk/agreement-chain.js'
export type { Agreement, AgreementStatus, BuyOptions, CloseOptions } from './sdk/agreement-facts.js'
export type { Agreements, CheckOptions } from './sdk/agreements.js'
export type {
  AssetFacets,
  AssetSummaries,
  AssetSummary,
  Assets,
  SearchFilters,
  SearchOptions,
  SearchPage,
} from './sdk/assets.js'
export type { Contracts, DidRecord, Registration, WalletProvider } from './sdk/chain-reader.js'
export { type Client, type ConnectOptions, connect } from './sdk/client.js'
export type { Closing } from './sdk/endings.js'
export {
  type DownloadOptions,
  Execution,
  type ExecutionResult,
  type Happened,
  type IncomingFile,
  type LogView,
  type ReceiptView,
  type ResultFile,
  type StreamOptions,
} from './sdk/execution.js'
export type {
  AgreementPage,
  AgreementView,
  EventsOptions,
  EventView,
  ExecutionPage,
  ExecutionsOptions,
  ExecutionView,
  HappenedAnywhere,
  PageOptions,
} from './sdk/lists.js'
export type { Verdict, VerdictReason } from './sdk/quotes.js'
export type { VerifyOptions } from './sdk/receipts.js'
export type { ResolvedAsset } from './sdk/resolver.js'
export type { AccessToken, Operation, Session } from './sdk/session.js'
export { type PageLocks, type SessionStore, sessionStorageOf, type TextStorage } from './sdk/session-store.js'
export { type SharedStream, type StreamSharing, sharedByTabs } from './sdk/shared-streams.js'
export type { ConfirmContracts, ContractsToConfirm } from './sdk/trust.js'
export type { AssetVersion, ListedVersion } from './sdk/versions.js'
