import { Desk } from 'insitu/desk'

const [curatorKey, did, file, running, other] = rest
const [agreement, execution] = running.split('/')
const client = await open()
const desk = new Desk(client)
const curator = new Desk(await connectAccount(url, localKey(curatorKey), { contracts }))
const proposals = []
const confirm = ({ changes }) => void proposals.push(...changes.map(({ path }) => path))
const name = 'more.txt'
const files = [{ name, url: file, contentType: 'text/plain', contentLength: '24' }]
const updated = await asked(async () => (await desk.update(did, {}, [], { files, confirm })).record.version)
const found = async () => (await client.assets.search('', { type: 'dataset' })).results.some(one => one.id === did)
const before = await found()
const hidden = await curator.hide(did, 'it names <b>people</b>')
const without = await found()
const { state } = await curator.unhide(did)
const end = async (...ids) => {
  const { phase, reason } = await (await client.execution(...ids)).wait()
  return [phase, reason?.code]
}
const stopped = await asked(async () => {
  await desk.stop(agreement, execution)
  return end(agreement, execution)
})
const again = (await desk.stop(agreement, execution)).phase
const notMine = await asked(() => desk.stop(agreement, 'wx' + 'a'.repeat(26)))
const paused = await asked(() => desk.pause(did, { stopRunning: true }))
const ended = await end(...other.split('/'))
const resumed = await desk.resume(did)
console.log(
  JSON.stringify({
    ...{ updated, proposals, before, hidden: [hidden.state, hidden.reason], without, shown: [state, await found()] },
    ...{ stopped, again, notMine, paused, ended, resumed: resumed.state },
  }),
)
process.exit(0)
