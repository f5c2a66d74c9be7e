import { Desk } from 'insitu/desk'

const [did, buyer, hidden] = rest
const client = await open()
const desk = new Desk(client)
const lieAbout = (path, change) => ({ [path]: (answer, question) => change(answer, question) ?? answer })
const proposals = []
const confirm = ({ changes }) => void proposals.push(changes.map(({ path, before, after }) => [path, before, after]))
const compute = { type: 'compute', attributes: { main: { price: '25' } } }
// Whoever reads the changes and says no has signed nothing.
const no = () => {
  throw new Error('not like this')
}
const declined = await asked(() => desk.update(did, {}, [compute], { confirm: no }))
said.length = 0
const updated = await asked(async () => {
  const { record, ddo } = await desk.update(did, { name: 'words, again' }, [compute], { confirm, onProgress })
  const { main } = ddo.service.find(({ type }) => type === 'compute')
  return [record.version, main.price, ddo.service[0].main.name]
})
const told = [...said]
const same = await asked(async () => (await desk.update(did, { name: 'words, again' })).record.version)
const forbidden = await asked(() => desk.update(did, { type: 'algorithm' }))
const listed = await asked(async () => (await desk.setListed(did, false)).state)
const again = await asked(async () => (await desk.setListed(did, true)).state)
const curator = await asked(() => desk.hide(did, 'because'))
const featured = await asked(() => desk.feature(did, 'because'))
const curated = await desk.curated('featured')
const retired = await asked(async () => (await desk.retire(did)).state)
const relisted = await asked(async () => {
  await desk.relist(did)
  return (await desk.status(did)).state
})
const provides = await desk.providers(did)
const isKeptBefore = await client.session().isKept()
const paused = await asked(() => desk.pause(did))
const isKept = await client.session().isKept()
const figures = await asked(async () => {
  const { dataSets, received, payments } = await desk.figures([did, hidden])
  return [dataSets.map(({ paused, stopping }) => [paused, stopping]), received > 0n, payments > 0]
})
const states = await asked(async () => {
  const { summaries, after } = await desk.assets({ limit: 50 })
  return [summaries.find(one => one.did === did).state, summaries.some(one => one.did === hidden), after]
})
const proposed = await asked(async () => {
  const { changes } = await desk.propose(await client.assets.show(did), { name: 'only looked at' })
  return changes.map(({ path, after }) => [path, after])
})
const without = await desk.providers(did)
const refused = (await client.check(buyer)).reasons.map(({ code }) => code)
const resumed = await asked(async () => (await desk.resume(did)).state)
const back = await desk.providers(did)
const allowed = (await client.check(buyer)).allowed
const mine = await desk.executions({ reading: did })
// Liars: a catalogue with another document, a gateway that names another provider, a registry with another owner.
const otherDocument = await asked(async () => {
  const lies = lieAbout('/assets/ddo/did', ddo => ddo.service && { ...ddo, created: '2020-01-01T00:00:00Z' })
  return new Desk(await open(lies)).update(did, { name: 'a third' })
})
const stranger = '0x' + '77'.repeat(20)
const otherProvider = await asked(async () => {
  const liar = await open(lieAbout('/services', info => info.providerAddress && { ...info, providerAddress: stranger }))
  return new Desk(liar).resume(did)
})
const otherCode = await asked(async () => {
  const request = ({ method, params }) => (method === 'eth_getCode' ? '0x6001' : provider.request({ method, params }))
  return new Desk(await open({}, { provider: { request } })).transfer(did, stranger)
})
const notMine = await asked(() => desk.transfer(hidden, stranger))
const typo = await asked(() => desk.transfer(did, '0x1234'))
const owner = '0x' + '12'.repeat(20)
said.length = 0
const handed = await asked(async () => {
  await desk.transfer(did, owner, { onProgress })
  return (await client.assets.owner(did)).toLowerCase()
})
const lost = await asked(() => desk.update(did, { name: 'mine' }))
console.log(
  JSON.stringify({
    ...{ declined, proposals, updated, told, same, forbidden, listed, again, curator, featured, curated, retired, relisted },
    ...{ provides: [...provides.values()], paused, without: [...without.values()], refused, resumed, back: [...back.values()], allowed },
    ...{ mine: mine.executions.map(({ role, phase }) => [role, phase]), otherDocument, otherProvider, otherCode, notMine, typo },
    ...{ isKeptBefore, isKept, figures, states, proposed },
    ...{ handed, transfer: said, lost, owner },
  }),
)
process.exit(0)
