import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { agreementDomain, agreementId, totalOf } from './agreement.js'
import { type Hex, plainDigits, toHex } from './bytes.js'
import { canonicalJson, isObject, type Json, sha256 } from './canonical.js'
import { chargeOf, NOTHING_DELIVERED } from './charge.js'
import { didOfHex } from './did.js'
import { type Envelope, envelopeSigner, PAYLOAD_TYPE, payloadOf } from './dsse.js'
import { type Address, sameAddress, workflowExecutionId } from './ids.js'
import { inputsHash } from './inputs-hash.js'
import { readJson } from './json-text.js'
import {
  dataSetsOf,
  isVersion,
  letsLogsOut,
  PREDICATE_V2,
  type Predicate,
  type PredicateV1,
  type PredicateV2,
  type Reason,
  type Statement,
  statementV1,
  statementV2,
  type Usage,
} from './receipt-form.js'
import { readAs, readStrictly } from './shape.js'

/** A check in words, and whether it holds. */
export type Check = readonly [what: string, holds: boolean]

/** A valid receipt. */
export interface VerifiedReceipt {
  /** The provider that signed it. */
  readonly signer: Address
  /** The hash that the contract commits to: `0x` and the SHA-256 of the payload. */
  readonly receiptHash: Hex
  readonly statement: Statement
  /** What was checked, in words. */
  readonly checked: readonly string[]
}

/** What views hide from whoever may not see the logs. */
const HIDDEN = "the owner's policy keeps the details"

/** Return the hash that the contract commits to. */
export function receiptHash(payload: Uint8Array): Hex {
  return toHex(sha256(payload))
}

/**
 * Read a receipt's payload.
 *
 * @throws InsituError `ReceiptInvalid` if it is not a receipt of a known form, not in canonical form, or says something
 * that this version cannot judge
 */
export function readStatement(payload: Uint8Array): Statement {
  try {
    const value = readJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload))
    if (!sameBytes(canonicalJson(value), payload)) throw invalid('the receipt is not canonical JSON')
    return readForm(value)
  } catch (cause) {
    if (isInsituError(cause) && cause.code === 'ReceiptInvalid') throw cause
    if (!isInsituError(cause) && !(cause instanceof TypeError)) throw cause
    throw new InsituError(errors.ReceiptInvalid, 'the payload is not a receipt of an execution', { cause })
  }
}

function readForm(value: Json): Statement {
  const isCurrent = isObject(value) && value['predicateType'] === PREDICATE_V2
  return isCurrent ? readStrictly(statementV2, value) : readAs(statementV1, value)
}

/**
 * Check a receipt offline: its signature, its form, that its parts match each other and the terms.
 *
 * @throws InsituError `ReceiptInvalid`, which says what check failed
 */
export function verifyReceipt(envelope: Envelope): VerifiedReceipt {
  if (envelope.payloadType !== PAYLOAD_TYPE) throw invalid(`the payload is not of type ${PAYLOAD_TYPE}`)
  const payload = payloadOf(envelope)
  const signer = envelopeSigner(envelope)
  const statement = readStatement(payload)
  const { predicate, subject } = statement
  const { terms, chainId, contract, serviceAgreementId } = predicate.agreement
  const checks: Check[] = [
    ['the provider of the agreement signed it', sameAddress(signer, terms.provider)],
    [
      'the agreement id is the digest of its terms',
      serviceAgreementId === agreementId(terms, agreementDomain(chainId, contract)),
    ],
    ['the execution id belongs to the agreement and the number', fitsNumber(predicate)],
    ['the subject is the output', sameJson(subject, [subjectOf(predicate)])],
    ...('delivered' in predicate ? checksOf(predicate) : checksOfV1(predicate)),
  ]
  const checked = ['the signature is valid', 'the payload is canonical', ...requireAll(checks)]
  return { signer, receiptHash: receiptHash(payload), statement, checked }
}

/** Return what was checked, in words. Throws `ReceiptInvalid` with the first check that failed. */
export function requireAll(checks: readonly Check[]): string[] {
  return checks.map(([what, holds]) => {
    if (!holds) throw invalid(`this check failed: ${what}`)
    return what
  })
}

function checksOf(predicate: PredicateV2): Check[] {
  const { agreement, delivered, outcome, failures, charge } = predicate
  const { terms } = agreement
  const rule = chargeOf(outcome, predicate.reason?.code, delivered.logBytes > 0, failures)
  return [
    ['the workflow is that of the terms', predicate.workflowDid === didOfHex(terms.workflowId)],
    ['the version of the workflow is that of the terms, or stated as a revision of it', fitsVersion(predicate)],
    ['the versions of the data sets are those of the terms', inputsHash(predicate.bought) === terms.inputsHash],
    ['it read the data sets of the terms', fitsData(predicate, didOfHex(terms.did))],
    ['parameters were given to stages that it has', fitsParameters(predicate)],
    ['an output was published if and only if it succeeded', fitsOutput(predicate)],
    ['what was delivered is the output, and log text only as the rules allow', fitsDelivery(predicate)],
    ['the charge follows from the outcome and what was delivered', charge.rule === rule],
    ['the amount is the price of the terms, or nothing', fitsAmount(predicate)],
    ['what the rules hide is left out, and committed to', hides(predicate)],
    ['it lists the limits that were not enforced', sameJson(predicate.notEnforced, notEnforced(predicate))],
    ['it ended in the phase that it states last', predicate.phases.at(-1)?.phase === outcome],
  ]
}

function checksOfV1(predicate: PredicateV1): Check[] {
  const { agreement, outcome, output, reason, charge } = predicate
  const { terms } = agreement
  const isBought =
    predicate.workflowDid === didOfHex(terms.workflowId) &&
    isVersion(terms.workflowHash, predicate.workflowChecksum.toLowerCase())
  const couldRead = letsLogsOut(predicate) && hasRun(predicate)
  const fitting = [false, couldRead].map(delivered => chargeOf(outcome, reason?.code, delivered))
  const succeeded = outcome === 'Succeeded'
  const published =
    succeeded === (output !== undefined) &&
    (succeeded || reason !== undefined) &&
    (reason?.code !== NOTHING_DELIVERED || output?.files === 0)
  return [
    ['the workflow and its version are those of the terms', isBought],
    ['the first data set is that of the terms', dataSetsOf(predicate)[0] === didOfHex(terms.did)],
    ['the charge follows from the outcome', fitting.includes(charge.rule) && fitsAmount(predicate)],
    ['an output was published if and only if it succeeded', published],
  ]
}

/** Return what a statement is about: the output, or the workflow if nothing was published. */
function subjectOf({ output, workflowDid, workflowChecksum }: Predicate): Json {
  if (output) return { name: output.resultDid, digest: { sha256: output.root } }
  return { name: workflowDid, digest: { sha3_256: workflowChecksum } }
}

function fitsNumber({ number, agreement, workflowExecutionId: id }: Predicate): boolean {
  return number >= 0 && number < 2 ** 32 && id === workflowExecutionId(agreement.serviceAgreementId, number)
}

function fitsAmount({ charge, agreement }: Predicate): boolean {
  return charge.amount === 0n || (charge.rule !== 'never' && charge.amount === totalOf(agreement.terms))
}

function fitsVersion({ agreement, revisionOf, workflowChecksum }: PredicateV2): boolean {
  const bought = plainDigits(agreement.terms.workflowHash)
  return revisionOf === undefined ? workflowChecksum === bought : revisionOf === bought && workflowChecksum !== bought
}

function fitsData(predicate: PredicateV2, first: string): boolean {
  const read = dataSetsOf(predicate)
  return (
    read[0] === first &&
    sameJson(
      read,
      predicate.bought.map(input => input.did),
    )
  )
}

function fitsParameters({ parameters, stages }: PredicateV2): boolean {
  const known = stages.map(stage => String(stage.index))
  return Object.keys(parameters).every(stage => known.includes(stage))
}

function fitsOutput({ outcome, output, reason, delivered }: PredicateV2): boolean {
  const succeeded = outcome === 'Succeeded'
  if (succeeded !== (output !== undefined)) return false
  if (!succeeded) return reason !== undefined && reason.code !== NOTHING_DELIVERED
  return (delivered.files === 0 && delivered.logBytes === 0) === (reason?.code === NOTHING_DELIVERED)
}

function fitsDelivery(predicate: PredicateV2): boolean {
  const { delivered, output, policy } = predicate
  const most = letsLogsOut(predicate) && hasRun(predicate) ? policy.output.maxLogBytes : 0
  return (
    (most === undefined || delivered.logBytes <= most) &&
    (delivered.logLines ?? 0) <= delivered.logBytes &&
    delivered.files === (output?.files ?? 0) &&
    delivered.bytes === (output?.bytes ?? 0)
  )
}

function hasRun(predicate: Predicate): boolean {
  return predicate.phases.some(entry => entry.phase === 'Executing')
}

function notEnforced(predicate: PredicateV2): string[] {
  const limits = Object.entries(predicate.software.enforcement)
  return limits
    .filter(([, by]) => by === 'none')
    .map(([limit]) => limit)
    .sort()
}

/** Return whether nothing is left out if logs are let out, and otherwise all that the algorithm determines. */
function hides(predicate: PredicateV2): boolean {
  if (letsLogsOut(predicate)) return predicate.withheld === undefined
  const reasons = [predicate.reason, ...predicate.stages.map(stage => stage.reason)]
  return (
    predicate.withheld !== undefined &&
    predicate.stages.every(stage => stage.exitCode === undefined && isHiddenUsage(stage.usage)) &&
    reasons.every(isHiddenReason)
  )
}

function isHiddenReason(reason: Reason | undefined): boolean {
  return reason === undefined || reason.message === HIDDEN || reason.code === NOTHING_DELIVERED
}

function isHiddenUsage({ limits, unavailable, ...used }: Usage): boolean {
  if (Object.values(used).some(figure => figure !== undefined)) return false
  const isEmpty = Object.keys(limits).length === 0 && Object.keys(unavailable).length === 0
  const names = ['cpu_seconds', 'peak_memory_bytes', 'wall_seconds', 'output_bytes']
  return isEmpty || sameJson(unavailable, Object.fromEntries(names.map(name => [name, HIDDEN])))
}

function sameJson(one: unknown, other: unknown): boolean {
  return sameBytes(canonicalJson(one), canonicalJson(other))
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

function invalid(detail: string): InsituError {
  return new InsituError(errors.ReceiptInvalid, detail)
}
