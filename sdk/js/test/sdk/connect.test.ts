import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DIDAttributeRegistered, getDIDRegister } from '../../src/api/abi.gen.js'
import { encodeAbi, type Hex, keccak256, selector, toHex, typesOf, utf8 } from '../../src/domain/index.js'
import { type Contracts, connect } from '../../src/index.js'
import { type Case, vector } from '../vectors/vector.js'
import { send, serve } from './servers.js'

const [PUBLISHED] = vector('documents')
const DID: string = PUBLISHED.document.id
const OWNER: Hex = PUBLISHED.creator
const REGISTRY: Hex = '0x24D881139Ee639C2A774B4B1851CB7a9d0fce122'
const CONTRACTS: Contracts = { chainId: 31337, registry: REGISTRY }
const BLOCK = 7

/** What a provider says; a test changes parts of it. */
interface Provider {
  readonly document?: unknown
  readonly checksum?: string
  readonly version?: number
  readonly chainId?: string
  readonly info?: unknown
  readonly page?: unknown
}

/** Start a provider with one registered asset, and a node behind it. */
async function provider(context: TestContext, changed: Provider = {}): Promise<string> {
  let url = ''
  const { document = PUBLISHED.document, checksum = PUBLISHED.checksum, version = 1, chainId = '0x7a69' } = changed
  const contracts = { DIDRegistry: REGISTRY, ServiceExecutionTemplate: REGISTRY, NeverminedToken: REGISTRY }
  const info = { chainId: 31337, contracts, providerAddress: OWNER, publicUrl: 'x' }
  const ask: Record<string, () => unknown> = {
    eth_chainId: () => chainId,
    eth_call: () =>
      toHex(encodeAbi(typesOf(`(${getDIDRegister.returns})`), [[OWNER, BLOCK, version, 0, `0x${checksum}`]])),
    eth_getLogs: () => [
      {
        topics: [
          toHex(keccak256(utf8(DIDAttributeRegistered.signature))),
          '0x',
          `0x${OWNER.slice(2).padStart(64, '0')}`,
          `0x${checksum}`,
        ],
        data: toHex(encodeAbi(DIDAttributeRegistered.data, [`${url}/documents/{did}`, version, 0])),
      },
    ],
  }
  url = await serve(context, (request, response, body) => {
    const path = request.url ?? ''
    if (path === '/api/v1/gateway/services') return send(response, changed.info ?? info)
    if (path.endsWith('/rpc')) {
      const { method, params }: Case = JSON.parse(body)
      if (method === 'eth_call') assert.ok(params[0].data.startsWith(toHex(selector(getDIDRegister.signature))))
      return send(response, { jsonrpc: '2.0', id: 1, result: ask[method]?.() })
    }
    if (path.startsWith('/documents/')) return send(response, document)
    const page = { results: [document], page: 1, totalPages: 1, totalResults: 1, asked: JSON.parse(body || '{}') }
    return send(response, changed.page ?? page)
  })
  return url
}

test('an asset is resolved by the registry, its url, and its checksum', async context => {
  const client = await connect(await provider(context), { contracts: CONTRACTS })
  const found = await client.assets.show(DID)
  assert.deepEqual(found.ddo.json, PUBLISHED.document)
  assert.deepEqual([found.creator, found.registrant, found.record.version], [OWNER, OWNER, 1])
  assert.equal(await client.assets.owner(DID), OWNER)
  assert.equal(client.contractsAreGiven, true)
})

test('a document that is not what the chain names is refused', async context => {
  const changed = { ...PUBLISHED.document, created: '2020-01-01T00:00:00Z' }
  const client = await connect(await provider(context, { document: changed }))
  assert.equal(client.contractsAreGiven, false)
  await assert.rejects(client.assets.resolve(DID), { code: 'ChecksumMismatch' })
})

test('the document of another DID is refused', async context => {
  const other = { ...PUBLISHED.document, id: `did:nv:${'ab'.repeat(32)}` }
  const client = await connect(await provider(context, { document: other }))
  await assert.rejects(client.assets.resolve(DID), { code: 'ChecksumMismatch' })
})

test('an asset that nobody registered is not found', async context => {
  const client = await connect(await provider(context, { version: 0 }))
  await assert.rejects(client.assets.resolve(DID), { code: 'AssetNotFound' })
  await assert.rejects(client.assets.resolve('did:nv:1'), { code: 'InvalidDid' })
})

test('a gateway with another registry than the one that is trusted is refused', async context => {
  const url = await provider(context)
  const registry: Hex = `0x${'11'.repeat(20)}`
  await assert.rejects(connect(url, { contracts: { chainId: 31337, registry } }), { code: 'ContractMismatch' })
  await assert.rejects(connect(url, { contracts: { chainId: 1, registry: REGISTRY } }), { code: 'ContractMismatch' })
})

test('a node of another chain is refused, also that of a wallet', async context => {
  await assert.rejects(connect(await provider(context, { chainId: '0x1' })), { code: 'ContractMismatch' })
  const wallet = { request: async () => '0x1' }
  await assert.rejects(connect(await provider(context), { provider: wallet }), { code: 'ContractMismatch' })
})

test('the node of a wallet is asked in place of the gateway', async context => {
  const asked: string[] = []
  const request = async ({ method }: { method: string }) => {
    asked.push(method)
    return method === 'eth_chainId' ? '0x7a69' : '0x'
  }
  const client = await connect(await provider(context), { provider: { request } })
  await assert.rejects(client.assets.resolve(DID), { code: 'ChainUnavailable' })
  assert.deepEqual(asked, ['eth_chainId', 'eth_call'])
})

for (const info of [7, {}, { chainId: 31337, contracts: {}, providerAddress: OWNER }]) {
  test(`what answers ${JSON.stringify(info).slice(0, 30)} is not a gateway`, async context => {
    await assert.rejects(connect(await provider(context, { info })), { code: 'PeerUnavailable' })
  })
}

test('a search returns the documents of the catalogue', async context => {
  const client = await connect(await provider(context))
  const page = await client.assets.search('flights', { type: 'dataset', priceMax: 10n })
  assert.deepEqual([page.totalResults, page.results[0]?.['id']], [1, DID])
})

test('an answer of a catalogue that is no page is refused', async context => {
  const client = await connect(await provider(context, { page: { results: 'no' } }))
  await assert.rejects(client.assets.search(), { code: 'PeerUnavailable' })
})

test('a price of a catalogue that is no amount is an unexpected answer', async context => {
  for (const price of ['many', '-1', undefined]) {
    const client = await connect(await provider(context, { page: { summaries: [{ did: DID, price }], unknown: [] } }))
    await assert.rejects(client.assets.summaries([DID]), { code: 'PeerUnavailable' })
  }
})
