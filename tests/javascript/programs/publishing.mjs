import { connectAccount } from 'insitu'
import { Publisher } from 'insitu/publish'
import { localKey, walletAccount } from 'insitu/wallets'

const [url, secret, given, described] = process.argv.slice(2)
const [contracts, { attributes, services, workflow }] = [given, described].map(text => JSON.parse(text))
const key = localKey(secret)
const asked = []
const counting = { ...key, signTypedData: data => (asked.push(data.primaryType), key.signTypedData(data)) }
const steps = []
const onProgress = ({ step }) => steps.push(step)
const open = async (account, options = {}) =>
  new Publisher(await connectAccount(url, account, { contracts, ...options }))
let [published, isBroken] = ['', false]
const breaking = async (input, init) => {
  if (String(input).includes('/assets/ddo') && init.method === 'POST') published = JSON.parse(init.body).id
  if (!isBroken || !String(input).endsWith('/requests')) return fetch(input, init)
  return new Response(JSON.stringify({ code: 'RelayExhausted', detail: 'no gas' }), { status: 409 })
}
const publisher = await open(counting, { fetch: breaking })
const data = await publisher.registerAsset(attributes, services, { onProgress })
const [{ path }] = (await publisher.files()).files
const listing = await publisher.files(path, { after: 'a', limit: 1 })
const stranger = await open(localKey('07'.repeat(32)))
const unseen = await stranger.files(path).catch(error => error.code)
const preview = await publisher.preview(attributes, services)
const again = await publisher.registerAsset(attributes, services)
const invalid = await publisher.registerAsset({ ...attributes, main: { ...attributes.main, name: '' } }, services).catch(error => error.code)
const source = new TextEncoder().encode("import pathlib\npathlib.Path('/mnt/output/out.txt').write_text('from js')\n")
const stored = await publisher.upload(source)
const file = { ...stored, name: 'run.py', contentType: 'text/x-python', contentLength: String(source.length) }
const { sha256: checksum, ...rest } = file
const main = { name: 'from js', type: 'algorithm', ...workflow.algorithm, files: [{ ...rest, checksum, checksumType: 'sha256' }] }
const algorithm = await publisher.registerAsset({ main })
const before = asked.length
const request = async ({ method }) => {
  if (method === 'eth_requestAccounts') return [key.address]
  throw Object.assign(new Error('no'), { code: 4001 })
}
const refusing = { ...key, signTypedData: (await walletAccount({ request })).signTypedData }
const other = { main: { ...main, name: 'another' } }
const rejected = await (await open(refusing)).registerAsset(other).catch(error => error.code)
const lying = async (input, init) => {
  const response = await fetch(input, init)
  if (!String(input).endsWith('/rpc') || !String(init.body).includes('eth_getCode')) return response
  return new Response(JSON.stringify({ ...(await response.json()), result: '0x6001' }), response)
}
const mistrusted = await (await open(counting, { fetch: lying })).registerAsset(other).catch(error => error.code)
const later = asked.length - before
const third = { main: { ...main, name: 'a third' } }
isBroken = true
const interrupted = await publisher.registerAsset(third).catch(error => error.code)
await new Promise(resolve => setTimeout(resolve, 1100)) // A document that is made now has another DID.
isBroken = false
const last = await publisher.registerAsset(third)
const resumed = last.did === published && !last.reused
const together = async () => {
  const { entrypoint = 'python3 run.py' } = workflow.algorithm.algorithm ?? {}
  const described = { name: 'run.py', type: 'algorithm', author: '', license: 'CC0', algorithm: { entrypoint } }
  const made = await publisher.prepareAlgorithm({ main: described }, { 'run.py': source })
  const [container] = services[0].attributes.main.provider.environment.supportedContainers
  const stage = {
    ...{ index: 0, requirements: { serverInstances: 1, container }, input: [{ index: 0, id: data.did }], output: {} },
    ...{ stageType: '', transformation: { id: made.did, checksum: made.checksum } },
  }
  const { transformation: _unpublished, ...planned } = stage
  const client = await connectAccount(url, counting, { contracts })
  const verdict = await client.agreements.checkPlanned({ stages: [{ ...planned, transformation: {} }] })
  const flow = { name: 'run.py', type: 'workflow', author: '', license: 'CC0', price: '0', workflow: { stages: [stage] } }
  const all = await publisher.registerAll([made, await publisher.prepare({ main: flow })])
  return { verdict, published: all.map(({ did, reused }) => [did, reused]) }
}
const start = asked.length
const [first, second] = [await together(), await together()]
const signed = asked.slice(start)
const bought = await (await connectAccount(url, counting, { contracts })).check(first.published[1][0])
console.log(
  JSON.stringify({
    ...{ signed, planned: [first.verdict, bought].map(({ allowed, cost }) => [allowed, String(cost?.total)]) },
    ...{ reusedTogether: [first, second].map(({ published }) => published.map(([, reused]) => reused)) },
    ...{ sameTogether: String(first.published.map(([did]) => did)) === String(second.published.map(([did]) => did)) },
    ...{ data: data.did, reused: [data.reused, again.reused], same: data.did === again.did, owner: data.record.owner },
    ...{ algorithm: algorithm.did, steps, asked: asked.slice(0, before), invalid, rejected, mistrusted },
    ...{ interrupted, resumed, listing, unseen, preview: JSON.stringify(preview) },
    ...{ later, document: JSON.stringify(data.ddo.json) },
  }),
)
