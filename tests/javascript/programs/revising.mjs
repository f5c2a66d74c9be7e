import { Publisher } from 'insitu/publish'

const [workflow] = rest
const bytes = text => new TextEncoder().encode(text)
const files = text => ({ name: 'algorithm', contents: { 'run.py': bytes(text) } })
const GOOD = "import pathlib\npathlib.Path('/mnt/output/out.txt').write_text('corrected')\n"
const client = await open()
const bought = await asked(() => client.buy(workflow, { onProgress }))
const { id } = bought.result
const ran = await asked(async () => (await client.execute(id)).wait())
const publisher = new Publisher(client)
const revise = (text, lies) =>
  asked(async () => {
    const execution = await (lies ? new Publisher(await open(lies)) : publisher).revise(id, files(text), { onProgress })
    return (await execution.wait()).phase
  })
const refused = await revise(GOOD, { '/check': () => ({ allowed: false, reasons: [{ code: 'RevisionNotAllowed', message: 'no' }] }) })
const otherCode = await revise(GOOD, { '/upload': view => ({ ...view, sha256: '00'.repeat(32) }) })
// A catalogue that shows another document as the current one, and a waiting version that this account never signed.
const otherDocument = await revise(GOOD, { '/assets/ddo/did': ddo => (ddo.service ? { ...ddo, created: '2020-01-01T00:00:00Z' } : ddo) })
said.length = 0
const interrupted = await revise(GOOD, { '/services/requests': 'broken' })
const told = [...said]
const revised = await revise(GOOD)
const again = await revise(GOOD)
const receipt = await (await client.execution(id, (await client.executions({ agreement: id })).executions[0].workflowExecutionId)).receipt()
const settled = await asked(() => client.release(receipt))
const signsOnly = await connectAccount(url, key, { contracts })
const second = (await client.buy(workflow)).id
const early = await asked(() => client.agreements.refund(second))
const { terms } = await client.agreements.show(second)
await ask('evm_increaseTime', terms.timeout + terms.settleTimeout)
await ask('anvil_mine', '0x1')
const unable = await asked(() => signsOnly.agreements.refund(second))
const preview = await client.agreements.previewClose(second)
said.length = 0
const refunded = await asked(async () => (await client.agreements.refund(second, { onProgress })).status)
const twice = await asked(() => client.agreements.refund(second))
console.log(
  JSON.stringify({
    ...{ bought: bought.prompts, ran: ran.result?.phase ?? ran.code, refused, otherCode, otherDocument, interrupted, revised, told, again },
    ...{ settled, early, unable, refunded, twice, sent: said, preview: [preview.status, String(preview.returned)], price: String(bought.result.price) },
  }),
)
process.exit(0)
