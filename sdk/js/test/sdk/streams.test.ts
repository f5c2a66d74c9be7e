import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Streams } from '../../src/sdk/streams.js'
import { send, serve } from './servers.js'

const streams = new Streams({ silence: 200 })

async function textOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  return new Response(body).text()
}

test('a stream that falls silent ends with an error', { timeout: 5000 }, async context => {
  const url = await serve(context, (_, response) => response.writeHead(200).write('one'))
  const { body } = await streams.open(url, {})
  await assert.rejects(textOf(body), { code: 'PeerUnavailable', detail: /silent/ })
})

test('who reads slowly does not lose a server that speaks', { timeout: 5000 }, async context => {
  const url = await serve(context, (_, response) => response.end('one'))
  const { body } = await streams.open(url, {})
  await new Promise(resolve => setTimeout(resolve, 400))
  assert.equal(await textOf(body), 'one')
})

test('a refusal is the error of the server, and a redirect is refused', async context => {
  const url = await serve(context, (_, response) => send(response, { code: 'NoResult', detail: 'none' }, 404))
  await assert.rejects(streams.open(url, {}), { code: 'NoResult' })
  let seen = 0
  const other = await serve(context, (_, response) => {
    seen += 1
    response.end()
  })
  const redirecting = await serve(context, (_, response) => response.writeHead(302, { Location: other }).end())
  await assert.rejects(streams.open(redirecting, { Authorization: 'x' }), { code: 'PeerUnavailable' })
  assert.equal(seen, 0)
})

test('a cancelled stream ends with the reason of its signal', { timeout: 5000 }, async context => {
  const url = await serve(context, (_, response) => response.writeHead(200).write('one'))
  const [controller, reason] = [new AbortController(), new Error('enough')]
  const { body } = await new Streams().open(url, {}, controller.signal)
  const reading = textOf(body)
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(reading, reason)
})
