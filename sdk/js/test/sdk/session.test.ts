import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fromHex, personalDigest, readAssertion, readSignInMessage, recoverAddress } from '../../src/domain/index.js'
import { Http } from '../../src/sdk/http.js'
import { Session } from '../../src/sdk/session.js'
import { localKey, walletAccount } from '../../src/wallets.js'
import { send, serve } from './servers.js'

const KEY = localKey('11'.repeat(32))

/** Start the token endpoint of a gateway; it keeps what it was asked. */
async function tokens(context: TestContext, lifetime = 600, refuses = (_: URLSearchParams) => false) {
  const asked: URLSearchParams[] = []
  const url = await serve(context, (request, response, body) => {
    const form = new URLSearchParams(body)
    asked.push(form)
    if (refuses(form)) return send(response, { code: 'InvalidToken', detail: 'used before' }, 401)
    if (request.url?.endsWith('/revoke')) return response.writeHead(200).end()
    const number = asked.length
    return send(response, { access_token: `a${number}`, refresh_token: `r${number}`, expires_in: lifetime })
  })
  return { url, asked, session: new Session(new Http(), url, KEY) }
}

test('callers at the same time share one signature, for all operations of this gateway alone', async context => {
  const { url, asked, session } = await tokens(context)
  const steps: string[] = []
  const onProgress = ({ step }: { step: string }) => void steps.push(step)
  const headers = await Promise.all([1, 2, 3].map(() => session.headers({ onProgress })))
  assert.deepEqual([headers.map(one => one.Authorization), steps], [Array(3).fill('Bearer a1'), ['sign-in']])
  assert.equal(asked.length, 1)
  const { account, claims } = readAssertion(asked[0]?.get('assertion') ?? '')
  assert.equal(account, KEY.address)
  const audience = claims['aud'] as string[]
  assert.equal(audience.length, 6)
  assert.ok(audience.every(one => one.startsWith(`${url}/api/v1/gateway/services/`)))
})

test('a session that is old or refused is renewed without a signature, and once for all who were refused', async context => {
  const { asked, session } = await tokens(context, 0)
  await session.headers()
  await session.headers()
  assert.equal(asked[1]?.get('refresh_token'), 'r1')
  const fresh = await tokens(context)
  const { Authorization } = await fresh.session.headers()
  await Promise.all([1, 2].map(() => fresh.session.headers({}, Authorization)))
  assert.deepEqual([fresh.asked.length, fresh.asked[1]?.get('grant_type')], [2, 'refresh_token'])
})

test('the account signs again if the session cannot be renewed', async context => {
  const refuses = (form: URLSearchParams) => form.has('refresh_token')
  const { asked, session } = await tokens(context, 0, refuses)
  await session.headers()
  assert.equal((await session.headers()).Authorization, 'Bearer a3')
  assert.deepEqual(
    asked.map(form => form.has('assertion')),
    [true, false, true],
  )
})

test('a token for one operation needs no session, and signing out ends the one that there is', async context => {
  const { url, asked, session } = await tokens(context)
  assert.equal((await session.singleToken('exec')).access_token, 'a1')
  const { claims } = readAssertion(asked[0]?.get('assertion') ?? '')
  assert.equal(claims['aud'], `${url}/api/v1/gateway/services/exec`)
  await session.signOut()
  await session.headers()
  await session.signOut()
  assert.equal(asked[2]?.get('token'), 'r2')
  assert.equal((await session.headers()).Authorization, 'Bearer a4')
})

test('a wallet signs in with a text, and its no is RejectedByUser', async context => {
  const { url, asked } = await tokens(context)
  const signing = await walletAccount({
    request: async ({ method, params }) => {
      if (method === 'eth_requestAccounts') return [KEY.address.toLowerCase()]
      assert.equal(method, 'personal_sign')
      const text = Buffer.from(String(params?.[0]).slice(2), 'hex').toString()
      return `0x${Buffer.from(KEY.signText(text)).toString('hex')}`
    },
  })
  await new Session(new Http(), url, signing).headers()
  assert.equal(readAssertion(asked[0]?.get('assertion') ?? '').account, KEY.address)
  const refusing = await walletAccount({ request: () => Promise.reject({ code: 4001 }) }, KEY.address)
  await assert.rejects(new Session(new Http(), url, refusing).headers(), { code: 'RejectedByUser', retry: true })
  assert.equal(asked.length, 1)
})

test('a cancelled sign-in asks no wallet, and one that hangs in the wallet ends', async context => {
  const { url, asked } = await tokens(context)
  const silent = await walletAccount({ request: () => new Promise(() => undefined) }, KEY.address)
  const reason = new Error('the person went away')
  const controller = new AbortController()
  const asking = new Session(new Http(), url, silent).headers({ signal: controller.signal })
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(asking, reason)
  assert.equal(asked.length, 0)
})

test('who waits behind a prompt that nobody answers can go away', { timeout: 5000 }, async context => {
  const { url } = await tokens(context)
  const silent = await walletAccount({ request: () => new Promise(() => undefined) }, KEY.address)
  const session = new Session(new Http(), url, silent)
  const [first, second] = [new AbortController(), new AbortController()]
  const asking = session.headers({ signal: first.signal })
  const waiting = session.headers({ signal: second.signal })
  second.abort(new Error('second'))
  await assert.rejects(waiting, /second/)
  first.abort(new Error('first'))
  await assert.rejects(asking, /first/)
})

test('on a page, a wallet signs a message that names the page, and a key of the program signs none', async context => {
  const { url, asked } = await tokens(context)
  const texts: string[] = []
  const shown: unknown[] = []
  const wallet = {
    address: KEY.address,
    signTypedData: KEY.signTypedData,
    signText: (text: string) => KEY.signText(texts[texts.push(text) - 1] ?? ''),
  }
  const page = { origin: 'https://market.test:8443', chainId: 31337 }
  const onProgress = ({ asks }: { asks?: unknown }) => void shown.push(asks)
  await new Session(new Http(), url, wallet, undefined, page).headers({ onProgress })
  await new Session(new Http(), url, KEY, undefined, page).headers()
  const form = asked[0] ?? new URLSearchParams()
  assert.deepEqual([form.get('message'), form.get('grant_type')], [texts[0], 'https://eips.ethereum.org/EIPS/eip-4361'])
  assert.deepEqual([asked[1]?.has('assertion'), texts.length, shown], [true, 1, texts])
  const message = readSignInMessage(texts[0] ?? '')
  assert.deepEqual([message.scheme, message.domain, message.chainId], ['https', 'market.test:8443', 31337])
  assert.equal(message.uri, `${url}/api/v1/gateway/services/oauth/token`)
  assert.equal(recoverAddress(personalDigest(texts[0] ?? ''), fromHex(form.get('signature') ?? '')), KEY.address)
})
