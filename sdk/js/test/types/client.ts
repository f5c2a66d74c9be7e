/** What the compiler must accept and refuse in somebody else's program. `npm run check` compiles it against the package. */
import {
  type AccountClient,
  type Agreement,
  type Client,
  connect,
  connectAccount,
  type ErrorCode,
  type Execution,
  type InsituError,
  isInsituError,
  sharedByTabs,
} from 'insitu'
import { type Did, readDid } from 'insitu/domain'
import { Publisher } from 'insitu/publish'
import { readEnvelope, readJson, verifyReceipt } from 'insitu/verify'
import { discoverWallets, localKey, useChain, walletAccount } from 'insitu/wallets'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_?: T) => {}

const key = localKey('47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a')

export async function reading(): Promise<readonly Did[]> {
  const client = await connect('http://127.0.0.1:8030')
  is<Same<typeof client, Client>>()
  const { results } = await client.assets.search('flights', { type: 'dataset', service: 'compute' })
  results[0]?.['id'] satisfies unknown
  // @ts-expect-error a client for reading buys nothing
  client.buy
  // @ts-expect-error there is no such order
  await client.assets.search('flights', { sort: 'size' })
  const did: Did = readDid(`did:nv:${'0'.repeat(64)}`)
  // @ts-expect-error a text is not yet a DID
  const unread: Did = 'flights'
  return [did, unread]
}

export async function buying(): Promise<void> {
  const client = await connectAccount('http://127.0.0.1:8030', key, { sharing: sharedByTabs() })
  is<Same<typeof client, AccountClient>>()
  const agreement = await client.buy('did:nv:…', { maxPrice: 14n })
  is<Same<typeof agreement, Agreement>>()
  // @ts-expect-error amounts are bigint, because a number rounds
  await client.buy('did:nv:…', { maxPrice: 14 })
  // @ts-expect-error a misspelt option
  await client.buy('did:nv:…', { maxprice: 14n })
  const verdict = await client.check('did:nv:…')
  // @ts-expect-error what is refused costs nothing
  verdict.cost
  if (verdict.allowed) is<Same<typeof verdict.cost.total, bigint>>()
  const execution = await client.execute(agreement.id)
  is<Same<typeof execution, Execution>>()
  for await (const happened of execution.stream()) {
    if (happened.kind === 'log') happened.log.text satisfies string
    // @ts-expect-error an event has no log
    else happened.log
  }
  for await (const { content } of execution.download()) content satisfies ReadableStream<Uint8Array>
  // @ts-expect-error a result cannot be changed
  execution.agreementId = agreement.id
  new Publisher(client)
  // @ts-expect-error nothing is published without an account
  new Publisher(client.reading)
}

export async function inAPage(): Promise<void> {
  const [wallet] = await discoverWallets()
  // @ts-expect-error there may be no wallet
  wallet.provider
  if (wallet === undefined) return
  await useChain(wallet.provider, { chainId: 1 })
  const account = await walletAccount(wallet.provider)
  // @ts-expect-error a wallet signs no digests
  account.signDigest(new Uint8Array(32)).length
  await connectAccount('https://provider.example', account)
}

export function failing(error: unknown): ErrorCode | undefined {
  if (!isInsituError(error)) return undefined
  is<Same<typeof error, InsituError>>()
  error.nextStep satisfies string
  // @ts-expect-error a code is a text
  error.code satisfies number
  const known: ErrorCode = 'PriceTooHigh'
  return known
}

export function verifying(text: string): string {
  const { signer, checked } = verifyReceipt(readEnvelope(readJson(text)))
  checked satisfies readonly unknown[]
  return signer
}
