/**
 * A client of insitu, so far for reading.
 *
 * @packageDocumentation
 */
export type { Ddo } from './domain/ddo.js'
export type { Did } from './domain/did.js'
export type { Address } from './domain/ids.js'
export { type ErrorCode, type ErrorKind, InsituError, isInsituError, type Violation } from './errors.js'
export type { Assets, SearchOptions, SearchPage } from './sdk/assets.js'
export type { Contracts, DidRecord, WalletProvider } from './sdk/chain-reader.js'
export { type Client, type ConnectOptions, connect } from './sdk/client.js'
export type { ResolvedAsset } from './sdk/resolver.js'
