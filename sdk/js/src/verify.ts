/**
 * Check receipts offline, without a client: `insitu/verify`.
 *
 * @packageDocumentation
 */
export { type Envelope, readEnvelope } from './domain/dsse.js'
export { readJson } from './domain/json-text.js'
export { type FileDigest, filesRoot, outputRoot } from './domain/merkle.js'
export { type Check, receiptHash, requireAll, type VerifiedReceipt, verifyReceipt } from './domain/receipt.js'
export type { PredicateV1, PredicateV2, Statement } from './domain/receipt-form.js'
export {
  type Opening,
  openingChecks,
  readOpening,
  type SignedSettlement,
  settlementChecks,
} from './domain/receipt-opening.js'
export { InsituError, isInsituError } from './errors.js'
