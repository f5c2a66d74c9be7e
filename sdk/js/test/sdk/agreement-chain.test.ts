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

test('the token is described once, however many parts of a page ask, and again after a node failed', async () => {
  let [asked, fails] = [0, true]
  const answers = [encodeAbi(['string'], ['Coin']), encodeAbi(['string'], ['C']), encodeAbi(['uint8'], [2n])]
  const ask = async () => {
    const at = asked++
    if (fails) throw new Error('away')
    return toHex(answers[at % 3] as Uint8Array)
  }
  const chain = new AgreementChain({ chainId: 1, registry: TEMPLATE, template: TEMPLATE, token: TEMPLATE }, ask)
  await assert.rejects(Promise.all([chain.token(), chain.token()]), /away/)
  fails = false
  asked = 0
  const token = { address: TEMPLATE, name: 'Coin', symbol: 'C', decimals: 2 }
  const left = AbortSignal.abort('left the page')
  await assert.rejects(chain.token(left), error => error === 'left the page')
  const [one, other] = await Promise.all([chain.token(), chain.token(new AbortController().signal)])
  assert.deepEqual([one, other, await chain.token()], [token, token, token])
  assert.equal(asked, 3, 'name, symbol and decimals')
})
