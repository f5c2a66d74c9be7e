import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Progress } from '../../src/sdk/account.js'
import { Catalogue } from '../../src/sdk/catalogue.js'
import { Http } from '../../src/sdk/http.js'
import { send, serve } from './servers.js'

const DID = `did:nv:${'ab'.repeat(32)}`
const PRESENT = { did: DID, checksum: 'one' }

test('confirmations are reported once each until a version is listed', async context => {
  const counted = [null, 0, 1, 1, 2].map(confirmed => ({ confirmed, confirmations: confirmed === null ? null : 3 }))
  const answers = [...counted.map(one => ({ ...PRESENT, ...one, state: 'pending' })), { ...PRESENT, state: 'listed' }]
  const waits: number[] = []
  const metadataUrl = await serve(context, (request, response) => {
    waits.push(Number(new URL(request.url ?? '', 'http://x').searchParams.get('wait')))
    send(response, answers.shift())
  })
  const parts = { http: new Http({ pause: async () => undefined }), metadataUrl }
  const said: Progress[] = []
  const onProgress = (progress: Progress) => void said.push(progress)
  await new Catalogue({ parts, contracts: {} } as never).wait(DID, 'one', { onProgress })
  assert.deepEqual(answers, [])
  assert.deepEqual(
    said.map(({ step, message }) => [step, /\d of the 3/.exec(message)?.[0]]),
    [0, 1, 2].map(confirmed => ['confirmation', `${confirmed} of the 3`]),
  )
  assert.ok(waits.every(seconds => seconds > 0 && seconds <= 5))
})
