import { connectAccount, sharedByTabs } from 'insitu'
import { localKey } from 'insitu/wallets'

const { gateway, secret, agreement, execution } = Object.fromEntries(new URLSearchParams(location.search))
const seen = { text: '', events: 0, began: false, ended: false, ids: [] }
window.seen = seen
window.leave = new AbortController()

const client = await connectAccount(gateway, localKey(secret), { sharing: sharedByTabs() })
if (execution === undefined) {
  for await (const { kind } of client.events({ signal: window.leave.signal })) {
    if (kind === 'begin') seen.began = true
    else seen.events += 1
  }
} else {
  const handle = await client.execution(agreement, execution)
  for await (const { kind, id, log } of handle.stream({ signal: window.leave.signal })) {
    if (kind === 'log') seen.text += log.text
    seen.ids.push(id)
  }
  seen.ended = true
}
