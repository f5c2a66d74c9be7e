import { connectAccount, sessionStorageOf } from 'insitu'
import { localKey } from 'insitu/wallets'

const [url, secret, workflow, given, dataset] = process.argv.slice(2)
const contracts = JSON.parse(given)
const key = localKey(secret)
let signIns = 0
const account = { ...key, signDigest: digest => ((signIns += 1), key.signDigest(digest)) }
const values = new Map()
const storage = {
  getItem: name => values.get(name) ?? null,
  setItem: (name, value) => values.set(name, value),
  removeItem: name => values.delete(name),
}
// Each page holds its locks until it is left.
const held = new Map()
const page = () => {
  const mine = []
  const request = async (name, _options, work) => {
    if (held.has(name)) throw new DOMException('it is held', 'AbortError')
    const gone = new Promise(resolve => held.set(name, resolve))
    mine.push(name)
    await Promise.race([work(), gone])
    held.delete(name)
  }
  const open = () => connectAccount(url, account, { contracts, sessions: sessionStorageOf(storage, { request }) })
  return { open, leave: () => mine.forEach(name => held.get(name)?.()) }
}
const first = page()
const client = await first.open()
const happened = []
const watching = client.events()
const { value: begin } = await watching.next()
const bought = await client.buy(workflow)
const execution = await client.execute(bought.id)
for await (const one of watching) {
  happened.push(one)
  if (one.event.type === 'settled') break
}
const second = await client.buy(workflow)
const again = await client.execute(second.id)
await again.wait()
const newest = await client.executions({ limit: 1, reading: dataset })
const older = await client.executions({ limit: 1, before: newest.before })
const running = await client.executions({ live: true })
const ofOne = await client.executions({ agreement: bought.id })
const resumed = []
for await (const one of client.events({ after: begin.id })) {
  resumed.push(one)
  if (one.event?.type === 'settled') break
}
const onChain = []
for await (const one of client.agreements.list()) {
  onChain.push([one.id, one.status, one.executable])
  if (onChain.length === 2) break
}
const remembered = await client.agreements.page({ limit: 2 })
const facets = await client.assets.facets('', { type: 'dataset' })
const { summaries, unknown } = await client.assets.summaries([dataset, `did:nv:${'0'.repeat(64)}`])
const facts = await client.chainFacts()
first.leave()
// The page is loaded again, and later its tab is duplicated while it is open.
const reloaded = page()
const { executions } = await (await reloaded.open()).executions({ limit: 1 })
const afterReload = signIns
const copy = new Map(values)
const duplicated = page()
await (await duplicated.open()).executions({ limit: 1 })
const afterDuplicate = signIns
console.log(
  JSON.stringify({
    begin: begin.kind,
    happened: happened.map(one => [one.kind, one.event.workflowExecutionId === execution.executionId]),
    resumed: resumed.filter(one => one.kind === 'event').length === happened.length,
    pages: [newest, older].map(({ executions: [one] }) => one.workflowExecutionId),
    ids: [again.executionId, execution.executionId],
    role: newest.executions[0].role,
    actions: newest.executions[0].actions,
    charge: [typeof ofOne.executions[0].charge, String(ofOne.executions[0].charge)],
    counts: [running.executions.length, ofOne.executions.length, executions.length],
    onChain,
    bought: [second.id, bought.id],
    remembered: remembered.agreements.map(one => [one.serviceAgreementId, typeof one.price, one.executionsLeft]),
    facets: facets.type.values,
    summaries: summaries.map(one => [one.did, one.type, typeof one.price]),
    unknown: unknown.length,
    facts: [facts.chainId, facts.name, facts.token.symbol, facts.token.decimals],
    signIns: [afterReload, afterDuplicate, copy.size],
  }),
)
process.exit(0)
