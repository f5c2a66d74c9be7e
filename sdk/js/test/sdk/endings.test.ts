import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Settlement, settlementTypedData, type Terms } from '../../src/domain/agreement.js'
import { type Call, callData, settle } from '../../src/domain/calls.js'
import type { AgreementId } from '../../src/domain/ids.js'
import { readEnvelope, toHex, verifyReceipt } from '../../src/domain/index.js'
import type { WalletTransaction } from '../../src/sdk/account.js'
import { AgreementChain, type AgreementState } from '../../src/sdk/agreement-chain.js'
import { agreementAt } from '../../src/sdk/agreement-facts.js'
import { Endings } from '../../src/sdk/endings.js'
import type { GatewayClient } from '../../src/sdk/gateway.js'
import { localKey } from '../../src/wallets.js'
import { vector } from '../vectors/vector.js'

const [PROVIDER, CONSUMER, OTHER] = [4, 3, 9].map(number => localKey(number.toString(16).padStart(64, '0')))
const { envelope } =
  vector('receipt').find(
    ({ name, refused }: { name: string; refused: string | null }) => name === 'v2: succeeded' && refused === null,
  ) ?? {}
const VERIFIED = verifyReceipt(readEnvelope(envelope))
const { agreement, number, charge } = VERIFIED.statement.predicate
const ID = agreement.serviceAgreementId
const TERMS = agreement.terms as Terms
const HASH = VERIFIED.receiptHash as `0x${string}`
const GRANTED: AgreementState = {
  ...{ settled: 0n, start: 1000, locked: true, granted: true, refunded: false, closed: false },
}

type Signed = { readonly settlement: Settlement; readonly signature: string }
type Answers = Readonly<Record<string, unknown>>

/** An account at a chain where one transaction makes true what it was about, and a gateway that says what it is told. */
function world(state: AgreementState = GRANTED, answers: Answers = {}, now = 2000) {
  const sent: WalletTransaction[] = []
  const facts = { now: state }
  const ask = async (method: string) => (method === 'eth_getBalance' ? '0x1' : null)
  const contracts = {
    chainId: agreement.chainId,
    registry: OTHER?.address as never,
    template: agreement.contract,
    token: agreement.contract,
  }
  const chain = Object.assign(new AgreementChain(contracts, ask), {
    time: async () => now,
    state: async () => facts.now,
    settlement: async () => (sent.length > 0 ? { index: number, charge: 0n, receiptHash: HASH } : undefined),
  })
  const sendTransaction = async (transaction: WalletTransaction) => {
    sent.push(transaction)
    facts.now = { ...state, refunded: true, closed: true }
    return `0x${'77'.repeat(32)}`
  }
  const account = { ...(CONSUMER as NonNullable<typeof CONSUMER>), sendTransaction }
  const gateway = {
    call: async (read: (value: unknown, place: object) => unknown, method: string) =>
      read(answers[method], { pointer: '', strict: false }),
  }
  const show = async () => agreementAt(now, ID as AgreementId, TERMS, state)
  const endings = new Endings({
    ...{ chain, account, show, requireTrusted: async () => undefined },
    gatewayOf: async () => gateway as unknown as GatewayClient,
  })
  const calls = () => sent.map(({ to, data }) => [to, data])
  return { endings, calls }
}

function signed(settlement: Settlement, by = PROVIDER): Signed {
  const domain = {
    name: 'ServiceExecutionTemplate',
    version: '1',
    chainId: agreement.chainId,
    verifyingContract: agreement.contract,
  }
  const data = settlementTypedData(ID as AgreementId, settlement, domain as never)
  return { settlement, signature: toHex((by as NonNullable<typeof by>).signTypedData(data)) }
}

const wire = ({ settlement, signature }: Signed) => ({
  settlement: { ...settlement, charge: String(settlement.charge) },
  signature,
})
const expected = (call: Call) => [[agreement.contract, callData(call)]]
const PAYS: Settlement = { index: number, charge: charge.amount, receiptHash: HASH, last: false }
const receipt = (settlement: Signed | undefined) =>
  ({ envelope, receiptHash: HASH, settled: false, settlement: settlement && wire(settlement) }) as never

test('a payment is released with exactly the settlement that the provider signed', async () => {
  const { endings, calls } = world()
  const right = signed(PAYS)
  await endings.release(receipt(right), {})
  assert.deepEqual(calls(), expected(settle(TERMS, right.settlement, right.signature as never)))
  await assert.rejects(endings.release(receipt(right), {}), { code: 'ExecutionAlreadySettled' })
})

for (const [what, settlement, code] of [
  ['none', undefined, 'ReceiptRequired'],
  ['one that charges more than the receipt', signed({ ...PAYS, charge: charge.amount + 1n }), 'ReceiptInvalid'],
  ['one of another execution', signed({ ...PAYS, index: number + 1 }), 'ReceiptInvalid'],
  ['one of another receipt', signed({ ...PAYS, receiptHash: `0x${'00'.repeat(32)}` }), 'ReceiptInvalid'],
  ['one that somebody else signed', signed(PAYS, OTHER), 'ReceiptInvalid'],
] as const) {
  test(`nothing is sent for a receipt with this settlement: ${what}`, async () => {
    const { endings, calls } = world()
    await assert.rejects(endings.release(receipt(settlement), {}), { code })
    assert.deepEqual(calls(), [])
  })
}

const RETURNS: Settlement = { index: 1, charge: 0n, receiptHash: `0x${'00'.repeat(32)}`, last: true }
const OPEN = { status: 'open', charge: '0', returned: String(TERMS.amounts[0]) }
const closing = (settlement: Signed) => ({
  GET: OPEN,
  POST: { ...OPEN, status: 'closing', settlement: wire(settlement) },
})

test('an agreement that its provider signed off is closed by the account', async () => {
  const right = signed(RETURNS)
  const { endings, calls } = world(GRANTED, closing(right))
  assert.equal((await endings.close(ID, {})).status, 'closed')
  assert.deepEqual(calls(), expected(settle(TERMS, RETURNS, right.signature as never)))
})

for (const [what, settlement, code] of [
  ['that charges something', signed({ ...RETURNS, charge: 1n }), 'AmountMismatch'],
  ['that closes nothing', signed({ ...RETURNS, last: false }), 'AmountMismatch'],
  ['that somebody else signed', signed(RETURNS, OTHER), 'SignatureMismatch'],
] as const) {
  test(`nothing is sent to close with a settlement ${what}`, async () => {
    const { endings, calls } = world(GRANTED, closing(settlement))
    await assert.rejects(endings.close(ID, {}), { code })
    assert.deepEqual(calls(), [])
  })
}

test('closing costs no more than it was said to', async () => {
  const { endings, calls } = world(GRANTED, { GET: { ...OPEN, charge: '5' } })
  await assert.rejects(endings.close(ID, { maxCharge: 4n }), { code: 'PriceTooHigh' })
  assert.deepEqual(calls(), [])
})

test('what has timed out is refunded without asking the gateway, and what has not is refused with its time', async () => {
  const ends = GRANTED.start + TERMS.timeout + TERMS.settleTimeout
  const late = world(GRANTED, {}, ends)
  assert.deepEqual(await late.endings.preview(ID, {}), {
    status: 'open',
    charge: 0n,
    returned: TERMS.amounts.reduce((sum, amount) => sum + amount, 0n),
  })
  assert.equal((await late.endings.close(ID, {})).status, 'refunded')
  assert.equal(late.calls().length, 1)
  const early = world(GRANTED, {}, ends - 1)
  await assert.rejects(early.endings.refund(ID, {}), {
    code: 'NotTimedOut',
    context: { deadline: ends, now: ends - 1 },
  })
  const over = world({ ...GRANTED, closed: true }, {}, ends)
  await assert.rejects(over.endings.refund(ID, {}), { code: 'ConditionNotInState' })
  assert.deepEqual([...early.calls(), ...over.calls()], [])
})

test('an account without coin, and one that only signs, are told before a wallet opens', async () => {
  const ends = GRANTED.start + TERMS.timeout + TERMS.settleTimeout
  const chain = Object.assign(
    new AgreementChain(
      { chainId: 1, registry: agreement.contract, template: agreement.contract, token: agreement.contract },
      async () => '0x0',
    ),
    {
      time: async () => ends,
      state: async () => GRANTED,
    },
  )
  const show = async () => agreementAt(ends, ID as AgreementId, TERMS, GRANTED)
  const parts = { chain, show, requireTrusted: async () => undefined, gatewayOf: async () => assert.fail() }
  const signer = CONSUMER as NonNullable<typeof CONSUMER>
  await assert.rejects(new Endings({ ...parts, account: signer }).refund(ID, {}), { code: 'RelayOff' })
  const poor = { ...signer, sendTransaction: async () => assert.fail() }
  await assert.rejects(new Endings({ ...parts, account: poor }).refund(ID, {}), { code: 'InsufficientFunds' })
})
