// The development chain's contracts are in the SDK's own list, so nobody names or confirms them.
const client = await open({}, { contracts: undefined })
const bought = await client.buy(workflow)
const execution = await client.execute(bought.id)
// A stream that breaks off after each piece goes on behind it, and a token that is refused is replaced.
let opened = 0,
  expired = 0
const breaking = async (input, init) => {
  const response = await fetch(input, init)
  if (String(input).includes('/compute/status') && expired++ === 0) {
    const problem = { code: 'TokenExpired', detail: 'too old', nextStep: 'sign in', retry: false }
    return new Response(JSON.stringify(problem), { status: 401 })
  }
  if (!String(input).includes('/compute/stream') || response.status === 204) return response
  opened += 1
  const reader = response.body.getReader()
  let pieces = 0
  const pull = async controller => {
    const { done, value } = await reader.read()
    if (done) return controller.close()
    controller.enqueue(value)
    if (++pieces === 2 && opened < 4) controller.error(new Error('broke off'))
  }
  return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), response)
}
const again = await (await open({}, { fetch: breaking })).execution(bought.id, execution.executionId)
const seen = [],
  printed = []
for await (const { kind, event, log } of again.stream())
  kind === 'log' ? printed.push(log.text) : seen.push(event.sequence)
const ended = await again.status()
const at = async lies => (await open(lies)).execution(bought.id, execution.executionId)
const naming = name => ({
  '/compute/result': view => ({
    ...view,
    files: view.files.map((file, at) => ({ ...file, name: at ? file.name : name })),
  }),
})
const saved = async lies => await saveResult(await at(lies), `${folder}-${Math.random()}`).catch(error => error.code)
const outside = await saved(naming('../../outside'))
const twice = await saved(naming('OUT.txt'))
const forged = await saved({
  '/compute/result': view => ({
    ...view,
    files: view.files.map(file => ({ ...file, checksum: 'sha256:' + '00'.repeat(32) })),
  }),
})
const short = await saved({
  '/compute/result': view => ({ ...view, files: view.files.map(file => ({ ...file, contentLength: 1 })) }),
})
const receipt = await (await at({})).receipt()
const offline = await client.verify({ ...receipt, receiptHash: '0x' + '00'.repeat(32) }).catch(error => error.code)
const closer = await open({ '/close': view => ({ ...view, charge: '5' }) })
const dear = await closer.agreements.close(bought.id).catch(error => error.code)
console.log(
  JSON.stringify({
    opened,
    sequences: seen,
    printed: printed.join(''),
    phase: ended.phase,
    outside,
    twice,
    forged,
    short,
    offline,
    dear,
  }),
)
