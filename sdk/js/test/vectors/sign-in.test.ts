import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  accountSignature,
  assertionText,
  digitsOf,
  es256kDigest,
  InsituError,
  isInsituError,
  type JsonObject,
  personalDigest,
  readAssertion,
  readSignInMessage,
  renderSignInMessage,
  sameAddress,
  signedAssertion,
  signerOf,
  toHex,
} from '../../src/domain/index.js'
import { localKey } from '../../src/wallets.js'
import { type Case, vector } from './vector.js'

const { gateway, key, contracts, cases } = vector('sign-in', 'gateway', 'key', 'contracts', 'cases')
const NOW = Date.parse(gateway.now) / 1000
const SERVICES = `${gateway.publicUrl}/api/v1/gateway/services`
const OPERATIONS = ['compute', 'download', 'encrypt', 'exec', 'upload']
const LONGEST = 600
const LEEWAY = 30

interface SignIn {
  readonly account: string
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly audiences: readonly unknown[]
  readonly session: boolean
}

/** Judge a sign-in as a gateway does that nobody met before. */
function judge(given: Case) {
  const signIn = given.assertion ? byAssertion(given.assertion) : byMessage(given.message, given.signature)
  const operations = OPERATIONS.filter(operation => signIn.audiences.includes(`${SERVICES}/${operation}`))
  if (operations.length !== signIn.audiences.length) throw new InsituError('AudienceMismatch', 'not of this gateway')
  if (!isSignedBy(signIn)) throw new InsituError('SignatureMismatch', `not signed by ${signIn.account}`)
  return { account: signIn.account, operations, session: signIn.session }
}

function byAssertion(assertion: string): SignIn {
  const { claims, account, digest, signature } = readAssertion(assertion)
  requirePrompt(secondsOf(claims['iat'] ?? 0), secondsOf(claims['exp']))
  if (typeof claims['jti'] !== 'string') throw new InsituError('InvalidToken', 'without jti')
  const audiences = Array.isArray(claims['aud']) ? claims['aud'] : [claims['aud']]
  return { account, digest, signature, audiences, session: Array.isArray(claims['aud']) }
}

function byMessage(text: string, signature: string): SignIn {
  const message = readSignInMessage(text)
  const pages = [gateway.publicUrl, ...gateway.marketplaces].map(page => new URL(page))
  const isAllowed = pages.some(
    page => page.host === message.domain && `${message.scheme ?? 'https'}:` === page.protocol,
  )
  if (!isAllowed) throw new InsituError('OriginNotAllowed', message.domain)
  if (message.uri !== `${SERVICES}/oauth/token`) throw new InsituError('AudienceMismatch', message.uri)
  if (message.chainId !== gateway.chainId) throw new InsituError('InvalidToken', 'another chain')
  const [issued, expires] = [message.issuedAt, message.expirationTime].map(time => Date.parse(time) / 1000)
  requirePrompt(issued ?? 0, expires ?? 0)
  if ((expires ?? 0) - (issued ?? 0) > LONGEST) throw new InsituError('InvalidToken', 'valid for too long')
  const signed = { digest: personalDigest(text), signature: accountSignature(signature) }
  return { account: message.address, ...signed, audiences: message.resources, session: true }
}

function requirePrompt(issued: number, expires: number): void {
  if (expires <= NOW) throw new InsituError('TokenExpired', 'it has expired')
  if (expires > NOW + LONGEST + LEEWAY || issued > NOW + LEEWAY)
    throw new InsituError('InvalidToken', 'valid for too long')
}

function secondsOf(value: JsonObject[string] | undefined): number {
  return typeof value === 'number' ? value : assert.fail('seconds are a number')
}

/** A contract account decides for itself (ERC-1271); the vector lists what each accepts. */
function isSignedBy({ account, digest, signature }: SignIn): boolean {
  const accepted = contracts.filter((one: Case) => sameAddress(one.account, account))
  if (accepted.length === 0) return signerOf(digest, signature) === account
  return accepted.some((one: Case) => one.digest === digitsOf(digest) && one.signature === toHex(signature))
}

for (const given of cases) {
  test(given.name, () => {
    let told: Case
    try {
      told = judge(given)
    } catch (error) {
      assert.ok(isInsituError(error), String(error))
      told = { code: error.code }
    }
    const expected = Object.fromEntries(
      ['code', 'account', 'operations', 'session'].filter(name => name in given).map(name => [name, given[name]]),
    )
    assert.deepEqual(told, expected)
  })
}

test('what this package writes is what it reads', () => {
  const signer = localKey(key)
  const text = assertionText(signer.address, [`${SERVICES}/exec`], NOW, 'once')
  const assertion = signedAssertion(text, signer.address, signer.signDigest(es256kDigest(text)))
  assert.deepEqual(judge({ assertion }), { account: signer.address, operations: ['exec'], session: true })
  const { message } = cases.find((one: Case) => one.name === "erc-4361: on the gateway's page")
  assert.equal(renderSignInMessage(readSignInMessage(message)), message)
})
