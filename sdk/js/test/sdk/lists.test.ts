import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { GatewayClient } from '../../src/sdk/gateway.js'
import { Http } from '../../src/sdk/http.js'
import { agreementsAt, eventsAt, executionsAt } from '../../src/sdk/lists.js'
import { Session } from '../../src/sdk/session.js'
import { Streams } from '../../src/sdk/streams.js'
import { localKey } from '../../src/wallets.js'
import { send, serve } from './servers.js'

const KEY = localKey('11'.repeat(32))
const ID = 'ab'.repeat(32)
const EXECUTION = {
  ...{ serviceAgreementId: ID, workflowExecutionId: `wx${'a'.repeat(26)}`, phase: 'Succeeded', role: 'owner' },
  ...{ actions: ['receipt'], charge: '14', names: { did: 'words' } },
}
const AGREEMENT = {
  serviceAgreementId: ID,
  status: 'granted',
  price: '14',
  charged: '0',
  returned: '0',
  executionsLeft: 3,
}

/** A gateway that answers each path with something; it keeps the addresses that it was asked. */
async function gatewayThat(context: TestContext, answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  const url = await serve(context, (request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://x')
    if (pathname.endsWith('/token')) return send(response, { access_token: 'a', expires_in: 600 })
    asked.push(search)
    const answer = answers[pathname.split('/').at(-1) ?? '']
    if (typeof answer !== 'string') return send(response, answer)
    return response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(answer)
  })
  const http = new Http({ pause: async () => undefined })
  return { asked, gateway: new GatewayClient(http, new Streams(), url, new Session(http, url, KEY)) }
}

test('a list is asked for with its filters, and its amounts are bigint', async context => {
  const { gateway, asked } = await gatewayThat(context, {
    executions: { executions: [EXECUTION], before: 'next' },
    agreements: { agreements: [AGREEMENT], before: null },
  })
  const page = await executionsAt(gateway, { live: false, reading: 'did:nv:1', before: 'wx', limit: 5, agreement: ID })
  assert.deepEqual(
    [page.before, page.executions[0]?.charge, page.executions[0]?.names],
    ['next', 14n, { did: 'words' }],
  )
  assert.deepEqual(page.executions[0]?.history, [])
  const bought = await agreementsAt(gateway, {})
  assert.deepEqual(
    [bought.before, bought.agreements[0]?.price, bought.agreements[0]?.executionsLeft],
    [undefined, 14n, 3],
  )
  assert.deepEqual(asked, [`?live=false&reading=did%3Anv%3A1&before=wx&limit=5&serviceAgreementId=${ID}`, ''])
})

for (const [what, execution] of [
  ['an id that leads elsewhere', { ...EXECUTION, workflowExecutionId: '../../account' }],
  ['an agreement that is no id', { ...EXECUTION, serviceAgreementId: 'javascript:alert(1)' }],
  ['a charge below nothing', { ...EXECUTION, charge: '-1' }],
  ['actions that are no list', { ...EXECUTION, actions: 'stop' }],
  ['nothing but a text', 'an execution'],
] as const) {
  test(`a list is refused that has ${what}`, async context => {
    const { gateway } = await gatewayThat(context, { executions: { executions: [execution] } })
    await assert.rejects(executionsAt(gateway, {}), { code: 'PeerUnavailable' })
  })
}

test('the stream of all executions says where it begins, and refuses an event that is no object', async context => {
  const event = (name: string, id: number, data: string) => `event: ${name}\nid: ${id}\ndata: ${data}\n\n`
  const answer = event('begin', 7, '{}') + event('execution', 9, '{"type":"phase"}') + event('execution', 10, '7')
  const { gateway } = await gatewayThat(context, { events: answer })
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const one of eventsAt(gateway, { after: '5' })) seen.push(one)
  })()
  await assert.rejects(reading, { code: 'PeerUnavailable' })
  assert.deepEqual(seen, [
    { kind: 'begin', id: '7' },
    { kind: 'event', id: '9', event: { type: 'phase' } },
  ])
})
