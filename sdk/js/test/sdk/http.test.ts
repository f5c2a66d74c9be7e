import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Http } from '../../src/sdk/http.js'
import { send, serve } from './servers.js'

const http = new Http({ silence: 300, pause: async () => undefined })

test('what a server refuses is an error with its code, its next step, and whether waiting helps', async context => {
  const problem = { code: 'MoonIsFull', detail: 'not tonight', nextStep: 'Wait.', retry: true, pointer: '/a', more: 1 }
  const url = await serve(context, (_, response) => send(response, problem, 409))
  await assert.rejects(http.call('GET', url), {
    ...{ code: 'MoonIsFull', detail: 'not tonight', nextStep: 'Wait.', retry: true, pointer: '/a', kind: 'Conflict' },
  })
})

test('an answer that is not a problem of ours is still an error', async context => {
  const url = await serve(context, (_, response) => response.writeHead(418).end('<p>no</p>'))
  await assert.rejects(http.call('GET', url), { code: 'PeerUnavailable', detail: /418/ })
})

test('a server that cannot answer now is asked again', async context => {
  let asked = 0
  const url = await serve(context, (_, response) => {
    asked += 1
    send(response, { asked }, asked < 3 ? 503 : 200)
  })
  assert.deepEqual(await http.call('GET', url), { asked: 3 })
})

test('what may have happened is not sent again', async context => {
  let asked = 0
  const url = await serve(context, request => {
    asked += 1
    request.socket.destroy()
  })
  await assert.rejects(http.call('POST', url, { json: {} }), { code: 'PeerUnavailable' })
  assert.equal(asked, 1)
})

test('a server that redirects is refused, and the other one sees no token', async context => {
  let seen = 0
  const other = await serve(context, (_, response) => {
    seen += 1
    send(response, {})
  })
  const url = await serve(context, (_, response) => response.writeHead(302, { Location: other }).end())
  const headers = { Authorization: 'Bearer secret' }
  await assert.rejects(http.call('GET', url, { headers }), { code: 'PeerUnavailable', detail: /redirects/ })
  assert.equal(seen, 0)
})

test('a body that stops after the headers ends within the time for silence', { timeout: 5000 }, async context => {
  const url = await serve(context, (_, response) => response.writeHead(200).write('{"a":'))
  await assert.rejects(http.call('POST', url), { code: 'PeerUnavailable', detail: /silent/ })
})

test('a body that goes on slowly is read to its end', async context => {
  const url = await serve(context, (_, response) => {
    response.writeHead(200).write('[1')
    const timer = setInterval(() => response.write(' '), 100)
    setTimeout(() => {
      clearInterval(timer)
      response.end(']')
    }, 700)
  })
  assert.deepEqual(await http.call('GET', url), [1])
})

test('a cancelled call rejects with the reason of its signal', async context => {
  const url = await serve(context, () => undefined)
  const reason = new Error('the person went away')
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(http.call('GET', url, { signal: controller.signal }), reason)
})

test('an answer without an end is cut off', async context => {
  const url = await serve(context, (_, response) => {
    response.writeHead(200)
    const more = () => {
      while (response.write(Buffer.alloc(1 << 20, 32)));
      response.once('drain', more)
    }
    more()
  })
  await assert.rejects(http.call('GET', url), { code: 'PeerUnavailable', detail: /more than/ })
})

for (const body of ['{"a":1,"a":2}', 'no', `${'['.repeat(99)}${']'.repeat(99)}`]) {
  test(`an answer that is not one JSON value is refused: ${body.slice(0, 20)}`, async context => {
    const url = await serve(context, (_, response) => response.end(body))
    await assert.rejects(http.call('GET', url), { code: 'PeerUnavailable' })
  })
}

for (const url of ['file:///etc/passwd', 'data:application/json,1', 'nowhere', '']) {
  test(`${url || 'an empty text'} is not called`, async () => {
    await assert.rejects(http.call('GET', url), { code: 'InvalidRequest' })
  })
}
