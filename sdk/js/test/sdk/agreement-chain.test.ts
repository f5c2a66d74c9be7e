import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgreementCreated } from '../../src/api/abi.gen.js'
import { agreementId, type Terms, termsTuple } from '../../src/domain/agreement.js'
import type { Address } from '../../src/domain/ids.js'
import { encodeAbi, type Hex, toHex } from '../../src/domain/index.js'
import { AgreementChain } from '../../src/sdk/agreement-chain.js'
import { localKey } from '../../src/wallets.js'

const [MINE, OTHER] = ['11', '22'].map(byte => localKey(byte.repeat(32)).address) as [Address, Address]
const TEMPLATE: Address = '0x24D881139Ee639C2A774B4B1851CB7a9d0fce122'
const SEED: Hex = `0x${'ab'.repeat(32)}`
const word = (byte: string): Hex => `0x${byte.repeat(32)}`
const TERMS: Terms = {
  ...{ seed: SEED, did: word('22'), inputsHash: word('33'), workflowId: word('44'), workflowHash: word('55') },
  ...{ consumer: MINE, provider: OTHER, serviceIndex: 4, deadline: 2_000_000_000, grantTimeout: 600 },
  ...{ timeout: 86400, settleTimeout: 4200, amounts: [3n], receivers: [OTHER] },
}

/** A node that answers every search with agreements of these terms. */
function chainWith(...every: readonly Terms[]) {
  const logs = every.map(terms => ({
    topics: ['0x'],
    data: toHex(encodeAbi(AgreementCreated.data, [termsTuple(terms)])),
  }))
  const ask = async (method: string) => (method === 'eth_blockNumber' ? '0x5' : logs)
  return new AgreementChain({ chainId: 31337, registry: TEMPLATE, template: TEMPLATE, token: TEMPLATE }, ask)
}

test("what a node calls an account's agreement is somebody else's: it is neither listed nor taken for bought", async () => {
  const chain = chainWith({ ...TERMS, consumer: OTHER })
  assert.equal(await chain.termsOfSeed(MINE, SEED), undefined)
  const listed: Terms[] = []
  for await (const terms of chain.termsOf(MINE)) listed.push(terms)
  assert.deepEqual(listed, [])
  assert.deepEqual(await chainWith(TERMS).termsOfSeed(MINE, SEED), TERMS)
})

test('terms whose hash is not the id are not the terms behind it', async () => {
  const chain = chainWith({ ...TERMS, amounts: [1n] })
  await assert.rejects(chain.terms(agreementId(TERMS, chain.domain)), { code: 'AgreementUnknown' })
})
