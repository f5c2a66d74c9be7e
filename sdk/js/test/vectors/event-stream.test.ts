import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventParser, type ServerEvent, utf8 } from '../../src/domain/index.js'
import { follow } from '../../src/sdk/event-follower.js'
import { type Case, refuses, vector } from './vector.js'

const { streams, resumed } = vector('event-stream', 'streams', 'resumed')

function written({ id = null as never, event, data }: ServerEvent) {
  return { id, event, data }
}

for (const { name, bytes, events } of streams) {
  for (const size of [1, 2, 3, 7, 10_000]) {
    test(`${name}, ${size} bytes at a time`, () => {
      const raw = utf8(bytes)
      const parser = new EventParser()
      const found: ServerEvent[] = []
      for (let at = 0; at < raw.length; at += size) found.push(...parser.feed(raw.subarray(at, at + size)))
      assert.deepEqual(found.map(written), events)
    })
  }
}

test(resumed.name, async () => {
  const waiting = [...resumed.connections]
  const asked: Case[] = []
  const found: ServerEvent[] = []
  const connect = async (lastEventId: string | undefined, freshToken: boolean) => {
    asked.push({ lastEventId: lastEventId ?? null, freshToken })
    return new Response(waiting.shift().bytes).body
  }
  for await (const event of follow(connect)) found.push(event)
  assert.deepEqual(found.map(written), resumed.events)
  const expected = resumed.connections.map(({ lastEventId, freshToken = false }: Case) => ({ lastEventId, freshToken }))
  assert.deepEqual(asked, expected)
})

test('a line that never ends is refused', () => {
  const parser = new EventParser()
  const chunk = new Uint8Array(1024 * 1024).fill(97)
  refuses(() => {
    for (let fed = 0; fed < 20; fed += 1) parser.feed(chunk)
  }, 'PeerUnavailable')
})
