import { type Hex, plainDigits } from './bytes.js'
import type { Address } from './ids.js'
import {
  decimal,
  integer,
  list,
  matching,
  nothing,
  object,
  oneOf,
  optional,
  type Read,
  record,
  scalar,
  text,
  wireAmount,
  withDefault,
} from './shape.js'

/** The types of predicate that are judged: that of today, and the first one, which nobody writes any more. */
export const PREDICATE_V1 = 'urn:insitu:execution-receipt:v1'
export const PREDICATE_V2 = 'urn:insitu:execution-receipt:v2'

const number = /* @__PURE__ */ (() => integer(Number.MIN_SAFE_INTEGER))()
const uint32 = /* @__PURE__ */ (() => integer(0, 2 ** 32 - 1))()
const bytes32 = /* @__PURE__ */ (() => matching<Hex>(/^0x[0-9a-f]{64}$/, '0x and 64 lower-case hexadecimal digits'))()
const account = /* @__PURE__ */ (() => matching<Address>(/^0x[0-9a-fA-F]{40}$/, 'an address'))()
const time = /* @__PURE__ */ (() =>
  matching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/i, 'a time with its zone'))()

const TERMS = /* @__PURE__ */ (() => ({
  seed: bytes32,
  did: bytes32,
  workflowId: bytes32,
  workflowHash: bytes32,
  consumer: account,
  provider: account,
  serviceIndex: uint32,
  deadline: integer(0, 2 ** 40 - 1),
  grantTimeout: uint32,
  timeout: uint32,
  settleTimeout: uint32,
  amounts: withDefault(list(wireAmount), []),
  receivers: withDefault(list(account), []),
}))()

const REASON = /* @__PURE__ */ (() => object({ code: text, message: text }))()

const USAGE_MEMBERS = /* @__PURE__ */ (() => ({
  cpuSeconds: optional(decimal),
  peakMemoryBytes: optional(number),
  wallSeconds: optional(decimal),
  outputBytes: optional(number),
  /** Limit → what enforces it. */
  limits: withDefault(record(text), {}),
  unavailable: withDefault(record(text), {}),
}))()

const NO_USAGE = {
  cpuSeconds: undefined,
  peakMemoryBytes: undefined,
  wallSeconds: undefined,
  outputBytes: undefined,
  limits: {},
  unavailable: {},
}

const USAGE = /* @__PURE__ */ (() => object(USAGE_MEMBERS))()

const PHASE = /* @__PURE__ */ (() =>
  oneOf('Registered', 'Configuring', 'Executing', 'Reviewing', 'Publishing', 'Succeeded', 'Failed', 'Stopped'))()

const STAGE = /* @__PURE__ */ (() =>
  object({
    index: number,
    stageType: text,
    image: object({ image: text, tag: text, digest: text, indexDigest: optional(text) }),
    algorithm: object({ did: text, checksum: text, files: record(text) }),
    parameters: record(scalar),
    inputs: list(
      object({
        index: number,
        position: number,
        did: optional(text),
        checksum: optional(text),
        /** Salted root of the files that were mounted. */
        root: optional(text),
        previousStage: optional(number),
      }),
    ),
    attempt: number,
    startedAt: optional(time),
    endedAt: optional(time),
    exitCode: optional(number),
    usage: withDefault(USAGE, NO_USAGE),
    reason: optional(REASON),
  }))()

const OUTPUT_RULES = /* @__PURE__ */ (() =>
  object({
    maxBytes: number,
    maxFiles: number,
    maxLogBytes: optional(number),
    types: optional(list(text)),
    logs: withDefault(oneOf('live', 'after_review', 'none'), 'live'),
    review: withDefault(oneOf('none', 'manual'), 'none'),
  }))()

const COMMON = /* @__PURE__ */ (() => ({
  workflowExecutionId: text,
  number,
  workflowDid: text,
  /** The version of the workflow that ran. */
  workflowChecksum: text,
  stages: list(STAGE),
  policy: object({
    verdict: object({
      allowed: (value, place) => scalar(value, place) === true,
      reasons: withDefault(list(object({ code: text, did: text, message: text })), []),
    }),
    checksums: record(text),
    output: OUTPUT_RULES,
  }),
  phases: list(object({ phase: PHASE, at: time })),
  outcome: oneOf('Succeeded', 'Failed', 'Stopped'),
  reason: optional(REASON),
  output: optional(
    object({ root: text, files: number, bytes: number, publishedStages: list(number), resultDid: text }),
  ),
  charge: object({ rule: oneOf('full', 'ifNoneSucceeds', 'never'), amount: wireAmount }),
  software: object({
    name: withDefault(text, 'insitu'),
    version: text,
    runtime: withDefault(text, ''),
    enforcement: withDefault(record(text), {}),
  }),
}))()

function agreementOf<T>(terms: T) {
  return { serviceAgreementId: text, chainId: number, contract: account, terms }
}

const PREDICATES = /* @__PURE__ */ (() => ({
  v1: object({ ...COMMON, agreement: object(agreementOf(object({ ...TERMS, ddoHash: bytes32 }))) }),
  v2: object({
    ...COMMON,
    agreement: object(agreementOf(object({ ...TERMS, inputsHash: bytes32 }))),
    /** The version of the workflow in the terms, if another one ran. */
    revisionOf: optional(text),
    /** Every data set once, in the workflow's order. */
    bought: list(object({ did: text, checksum: text })),
    /** Index of a stage → name → value, as given when the execution was started. */
    parameters: withDefault(record(record(scalar)), {}),
    failures: withDefault(oneOf('charged', 'free'), 'charged'),
    /** What reached the consumer. `logLines` is undefined if the log could not be counted. */
    delivered: object({ files: integer(), bytes: integer(), logBytes: integer(), logLines: optional(integer()) }),
    approvals: withDefault(list(object({ did: text, owner: text, digest: text, expiresAt: time })), []),
    /** Salted hash of what is left out; undefined if nothing is. */
    withheld: optional(text),
    notEnforced: withDefault(list(text), []),
    inspection: nothing,
    decisions: nothing,
    ledger: nothing,
  }),
}))()

const SUBJECTS = /* @__PURE__ */ (() => list(object({ name: text, digest: record(text) })))()
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** Reads a receipt of the first form, in which unknown members are ignored. */
export const statementV1 = /* @__PURE__ */ (() =>
  object({
    _type: withDefault(oneOf(STATEMENT_TYPE), STATEMENT_TYPE),
    predicateType: oneOf(PREDICATE_V1),
    subject: SUBJECTS,
    predicate: PREDICATES.v1,
  }))()

/** Reads a receipt of today's form; read it strictly, because every member is signed for a reason. */
export const statementV2 = /* @__PURE__ */ (() =>
  object({
    _type: withDefault(oneOf(STATEMENT_TYPE), STATEMENT_TYPE),
    predicateType: oneOf(PREDICATE_V2),
    subject: SUBJECTS,
    predicate: PREDICATES.v2,
  }))()

/** Reads what stands behind the hash of what a receipt leaves out. */
export const withheld = /* @__PURE__ */ (() =>
  object({
    salt: text,
    stages: list(object({ stage: number, exitCode: optional(number), usage: USAGE, reason: optional(REASON) })),
    reason: optional(REASON),
  }))()

/** An in-toto statement about an execution, of either form. */
export type Statement = Read<typeof statementV1> | Read<typeof statementV2>
export type PredicateV1 = Read<typeof PREDICATES.v1>
export type PredicateV2 = Read<typeof PREDICATES.v2>
export type Predicate = PredicateV1 | PredicateV2
export type Usage = Read<typeof USAGE>
export type Reason = Read<typeof REASON>

/** Return the data sets that were read, each once, in the workflow's order. */
export function dataSetsOf(predicate: Predicate): string[] {
  const dids = predicate.stages.flatMap(stage => stage.inputs.map(input => input.did))
  return [...new Set(dids.filter(did => did !== undefined))]
}

/** Return whether the rules let out what algorithms print, and with it exit codes, usage and sentences of reasons. */
export function letsLogsOut(predicate: Predicate): boolean {
  const { logs, maxLogBytes } = predicate.policy.output
  return logs === 'live' && maxLogBytes !== 0
}

/** Return whether a checksum of the terms is the one that the receipt states. */
export function isVersion(ofTerms: string, stated: string): boolean {
  return plainDigits(ofTerms) === stated
}
