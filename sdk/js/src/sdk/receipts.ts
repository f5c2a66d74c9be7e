import * as errors from '../api/errors.gen.js'
import { readEnvelope } from '../domain/dsse.js'
import { type Address, sameAddress } from '../domain/ids.js'
import { type FileDigest, outputRoot } from '../domain/merkle.js'
import { type Check, requireAll, type VerifiedReceipt, verifyReceipt } from '../domain/receipt.js'
import type { PredicateV2 } from '../domain/receipt-form.js'
import { type Opening, openingChecks } from '../domain/receipt-opening.js'
import { InsituError } from '../errors.js'
import type { AgreementChain } from './agreement-chain.js'
import type { ChainReader, Registration } from './chain-reader.js'
import { registeredVersions } from './registered-versions.js'

/** Seconds by which the chain's clock may be ahead of the provider's. */
const SLACK = 60

/** What a receipt is compared with. */
export interface VerifyOptions {
  /** The account that must have signed; by default the one that the receipt names. */
  readonly provider?: Address | undefined
  /** The files that were downloaded: the receipt must be about exactly these. */
  readonly files?: readonly FileDigest[] | undefined
  /** What its hashes must stand for. */
  readonly opening?: Opening | undefined
  readonly signal?: AbortSignal | undefined
}

/** A receipt as a gateway sends it, or its envelope alone. */
export type ReceiptLike = { readonly envelope: unknown; readonly receiptHash?: string } | object

/**
 * Check a receipt, and compare it with the chain: the provider granted the agreement and committed to this very receipt,
 * and no more was charged than it says.
 *
 * @throws InsituError `ReceiptInvalid`, `ReceiptElsewhere`, `ReceiptNotCommitted` if it is not settled yet
 */
export async function verifyOnChain(
  receipt: ReceiptLike,
  chain: AgreementChain,
  registry: ChainReader,
  options: VerifyOptions = {},
): Promise<VerifiedReceipt> {
  const found = verifyReceipt(readEnvelope('envelope' in receipt ? receipt.envelope : receipt))
  const { agreement, number, output, charge } = found.statement.predicate
  const checks: Check[] = []
  if ('receiptHash' in receipt) {
    checks.push(['the hash stated beside it is its own', receipt.receiptHash === found.receiptHash])
  }
  if (options.provider !== undefined) {
    checks.push([`${options.provider} signed it`, sameAddress(options.provider, found.signer)])
  }
  if (options.files !== undefined) {
    const holds = output === undefined ? options.files.length === 0 : output.root === outputRoot(options.files)
    checks.push(['the files are those of the result', holds])
  }
  if (options.opening !== undefined) checks.push(...openingChecks(found.statement.predicate, options.opening))
  requireAll(checks)
  const { chainId, template } = chain.contracts
  if (agreement.chainId !== chainId || !sameAddress(agreement.contract, template)) {
    throw new InsituError(errors.ReceiptElsewhere, `the agreement is at ${agreement.contract} of ${agreement.chainId}`)
  }
  const { serviceAgreementId: id } = agreement
  const state = await chain.state(id, options.signal)
  checks.push(['the chain knows the agreement, and its provider granted it', state.granted])
  const { predicate } = found.statement
  if ('revisionOf' in predicate && predicate.revisionOf !== undefined) {
    checks.push(await checkOfRevision(predicate, chain, registry, options.signal))
  }
  if (output !== undefined) {
    // Throws AssetNotFound if it is not registered.
    await registry.didRecord(output.resultDid, options.signal)
    checks.push(['the result is registered', true])
  }
  requireAll(checks)
  const settled = await chain.settlement(id, number, state.start, options.signal)
  if (settled === undefined) {
    throw new InsituError(errors.ReceiptNotCommitted, `the chain has no settlement of execution ${number} yet`)
  }
  checks.push(['its hash is the one on chain', sameAddress(settled.receiptHash, found.receiptHash)])
  checks.push(['the chain charged no more than the receipt states', settled.charge <= charge.amount])
  return { ...found, checked: [...found.checked, ...requireAll(checks)] }
}

/** Compare with the registry's events: nobody else's version counts, and no earlier one. */
async function checkOfRevision(
  predicate: PredicateV2,
  chain: AgreementChain,
  registry: ChainReader,
  signal?: AbortSignal,
): Promise<Check> {
  const record = await registry.didRecord(predicate.workflowDid, signal)
  const every: Registration[] = []
  for await (const version of registeredVersions(registry, record, signal)) every.push(version)
  const bought = Math.min(...every.filter(one => one.checksum === predicate.revisionOf).map(one => one.version))
  const start = Date.parse(predicate.phases[0]?.at ?? '') / 1000 + SLACK
  let holds = false
  for (const { checksum, version, registrant, block } of every) {
    if (version <= bought || checksum !== predicate.workflowChecksum) continue
    if (!sameAddress(registrant, predicate.agreement.terms.consumer)) continue
    holds ||= (await chain.timeOf(block, signal)) <= start
  }
  return ['the consumer registered the version that ran, after the one in the terms and before the start', holds]
}
