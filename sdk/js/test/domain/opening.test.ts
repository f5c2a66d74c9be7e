import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementDomain,
  canonicalJson,
  digitsOf,
  fromHex,
  settlementTypedData,
  sha256,
  toHex,
  typedDataDigest,
} from '../../src/domain/index.js'
import {
  filesRoot,
  openingChecks,
  type PredicateV2,
  readEnvelope,
  readOpening,
  settlementChecks,
  verifyReceipt,
} from '../../src/verify.js'
import { localKey } from '../../src/wallets.js'
import { type Case, vector } from '../vectors/vector.js'

const RECEIPT = verifyReceipt(
  readEnvelope(vector('receipt').find((one: Case) => one.name === 'v2: succeeded').envelope),
)
const SALT = '0c'.repeat(32)
const FILES = [
  { name: 'a.csv', sha256: 'ab'.repeat(32) },
  { name: 'b.csv', sha256: 'cd'.repeat(32) },
]
const WITHHELD = {
  salt: SALT,
  stages: [{ stage: 0, exitCode: 3, usage: { cpuSeconds: 1.5, limits: {}, unavailable: {} }, reason: null }],
  reason: { code: 'AlgorithmFailed', message: 'exit code 3' },
}

/** A predicate that commits to FILES as the first input, and to WITHHELD. */
function committed(): PredicateV2 {
  const predicate = RECEIPT.statement.predicate as PredicateV2
  const [stage] = predicate.stages
  assert.ok(stage)
  const root = filesRoot(
    FILES.map(file => ({ ...file, size: 0 })),
    fromHex(SALT),
  )
  const inputs = stage.inputs.map((input, at) => (at === 0 ? { ...input, root } : input))
  return { ...predicate, stages: [{ ...stage, inputs }], withheld: digitsOf(sha256(canonicalJson(WITHHELD))) }
}

function opened(files: readonly { name: string; sha256: string }[], withheld: unknown = WITHHELD) {
  const [stage] = committed().stages
  const [input] = stage?.inputs ?? []
  return readOpening({
    inputs: [{ stage: stage?.index, position: input?.position, did: input?.did, salt: SALT, files }],
    withheld,
  })
}

test('an opening shows the files and the details that a receipt commits to', () => {
  const checks = openingChecks(committed(), opened(FILES))
  assert.deepEqual(
    checks.map(([, holds]) => holds),
    [true, true],
  )
})

test('an opening with other files, or other details, does not hold', () => {
  const checks = openingChecks(committed(), opened(FILES.slice(1), { ...WITHHELD, salt: '0d'.repeat(32) }))
  assert.deepEqual(
    checks.map(([, holds]) => holds),
    [false, false],
  )
  assert.deepEqual(
    openingChecks(RECEIPT.statement.predicate, opened(FILES)).map(([, holds]) => holds),
    [false, false],
  )
})

test('a settlement pays for the execution of its receipt, or not', () => {
  const { agreement, number, charge } = RECEIPT.statement.predicate
  const settlement = { index: number, charge: charge.amount, receiptHash: RECEIPT.receiptHash, last: true }
  const data = settlementTypedData(
    agreement.serviceAgreementId,
    settlement,
    agreementDomain(agreement.chainId, agreement.contract),
  )
  const stranger = localKey('01'.repeat(32))
  const signature = toHex(stranger.signDigest(typedDataDigest(data)))
  const signed = { terms: agreement.terms, settlement, signature }
  const holding = settlementChecks(RECEIPT, signed).map(([, holds]) => holds)
  assert.deepEqual(holding, [true, true, true, true, false])
  const more = { ...settlement, charge: charge.amount + 1n, index: number + 1 }
  const wrong = settlementChecks(RECEIPT, { ...signed, settlement: more }).map(([, holds]) => holds)
  assert.deepEqual(wrong, [true, false, true, false, false])
})
