import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../src/domain/ids.js'
import { InsituError } from '../../src/errors.js'
import { AgreementChain } from '../../src/sdk/agreement-chain.js'
import { carryOut } from '../../src/sdk/transactions.js'
import { localKey, walletAccount } from '../../src/wallets.js'

const KEY = localKey('11'.repeat(32))
const TEMPLATE: Address = '0x24D881139Ee639C2A774B4B1851CB7a9d0fce122'
const SENDING = { chainId: 31337, to: TEMPLATE, data: '0x1234' as const }
const CALL = { contract: 'EscrowReward', signature: 'withdraw(address)', arguments: [KEY.address] }

/** A wallet on a chain, which keeps what it was asked to send. */
async function wallet(chainId: string, send: () => unknown = () => '0x77') {
  const sent: unknown[] = []
  const account = await walletAccount({
    request: async ({ method, params }) => {
      if (method === 'eth_requestAccounts') return [KEY.address]
      if (method === 'eth_chainId') return chainId
      assert.equal(method, 'eth_sendTransaction')
      sent.push(params?.[0])
      return send()
    },
  })
  return { account, sent }
}

const chainThat = (ask: (method: string) => unknown) =>
  new AgreementChain({ chainId: 31337, registry: TEMPLATE, template: TEMPLATE, token: TEMPLATE }, async method => {
    return method === 'eth_getBalance' ? '0x1' : ask(method)
  })

test('a wallet on another chain is not asked to send, and one on the right chain is told which', async () => {
  const elsewhere = await wallet('0x1')
  await assert.rejects(async () => elsewhere.account.sendTransaction?.(SENDING), { code: 'WrongChain' })
  const { account, sent } = await wallet('0x7a69')
  assert.equal(await account.sendTransaction?.(SENDING), '0x77')
  const transaction = { from: KEY.address, to: TEMPLATE, data: '0x1234', chainId: '0x7a69' }
  assert.deepEqual([elsewhere.sent, sent], [[], [transaction]])
})

test('what a person is told is what the wallet sends, and their no is RejectedByUser', async () => {
  const { account, sent } = await wallet('0x7a69', () => Promise.reject({ code: 4001 }))
  const told: unknown[] = []
  const onProgress = ({ step, sends }: { step: string; sends?: unknown }) => void told.push([step, sends])
  const wanted = { call: CALL, message: 'Something is sent.', isDone: async () => false }
  const sending = carryOut(
    chainThat(() => null),
    account,
    wanted,
    { onProgress },
  )
  await assert.rejects(sending, { code: 'RejectedByUser' })
  const [[step, sends]] = told as [[string, { data: string }]]
  assert.deepEqual([step, told.length, (sent[0] as { data: string }).data], ['transaction', 1, sends.data])
})

test('a transaction that the chain refused fails, whatever its wallet said', async () => {
  const { account } = await wallet('0x7a69')
  const wanted = { call: CALL, message: 'Something is sent.', isDone: async () => false }
  const sending = carryOut(
    chainThat(() => ({ status: '0x0' })),
    account,
    wanted,
    {},
  )
  await assert.rejects(sending, { code: 'TransactionFailed' })
})

test('a node that is away for a moment does not make a sent transaction an error, and a refusal does', async () => {
  const { account, sent } = await wallet('0x7a69')
  let looks = 0
  const isDone = async () => {
    looks += 1
    if (looks === 1) throw new InsituError('ChainUnavailable', 'away', { retry: true })
    return looks > 2
  }
  const chain = chainThat(() => null)
  await carryOut(chain, account, { call: CALL, message: 'Something is sent.', isDone }, {})
  assert.deepEqual([looks, sent.length], [3, 1])
  const refused = async () => {
    throw new InsituError('AgreementUnknown', 'gone')
  }
  const wanted = { call: CALL, message: 'Something is sent.', isDone: refused }
  await assert.rejects(carryOut(chain, account, wanted, {}), { code: 'AgreementUnknown' })
})

test('whoever goes away while a wallet hangs is let go', async () => {
  const { account } = await wallet('0x7a69', () => new Promise(() => undefined))
  const controller = new AbortController()
  const wanted = { call: CALL, message: 'Something is sent.', isDone: async () => false }
  const sending = carryOut(
    chainThat(() => null),
    account,
    wanted,
    { signal: controller.signal },
  )
  setTimeout(() => controller.abort(new Error('went away')), 20)
  await assert.rejects(sending, /went away/)
})
