import * as errors from '../api/errors.gen.js'
import { type Address, readAddress } from '../domain/ids.js'
import { integer, object, type Reader, text } from '../domain/shape.js'
import { InsituError } from '../errors.js'
import { Assets } from './assets.js'
import {
  type AskNode,
  askThroughGateway,
  askThroughWallet,
  ChainReader,
  type Contracts,
  type WalletProvider,
} from './chain-reader.js'
import { Http, type HttpOptions } from './http.js'
import { Resolver } from './resolver.js'

/** How a client is connected. */
export interface ConnectOptions extends HttpOptions {
  /**
   * Chain and registry that are trusted. If they are left out, those of the gateway count: enough to look around, but a
   * gateway could name a registry of its own.
   */
  readonly contracts?: Contracts | undefined
  /** The wallet whose node is asked what the chain says, in place of the gateway's. */
  readonly provider?: WalletProvider | undefined
  /** Address of the catalogue, if it is on another server. */
  readonly metadataUrl?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Everything that can be done without an account. */
export interface Client {
  readonly assets: Assets
  /** Chain and registry that are asked. */
  readonly contracts: Contracts
  /** Whether the caller named them, or the gateway did. */
  readonly contractsAreGiven: boolean
  /** The gateway's account. */
  readonly providerAddress: Address
}

const INFO = /* @__PURE__ */ (() => {
  const account: Reader<Address> = (value, place) => readAddress(text(value, place))
  return object({ chainId: integer(1), contracts: object({ DIDRegistry: account }), providerAddress: account })
})()

/**
 * Connect to a provider, for reading.
 *
 * @param url - address of its gateway, without the path of the API
 * @throws InsituError `PeerUnavailable` if nothing answers there as a gateway does, `ContractMismatch` if it uses another
 * chain or registry than `contracts` names, or the wallet is on another chain
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  return (await openProvider(url, options, INFO)).client
}

/** What a gateway says of itself. */
interface Info {
  readonly chainId: number
  readonly contracts: { readonly DIDRegistry: Address }
  readonly providerAddress: Address
}

/** What a client is made of. */
export interface OpenProvider<I extends Info = Info> {
  readonly info: I
  readonly client: Client
  readonly url: string
  readonly metadataUrl: string
  readonly http: Http
  readonly ask: AskNode
  readonly chain: ChainReader
  readonly resolver: Resolver
}

/** Connect like `connect`, and return the parts too. */
export async function openProvider<I extends Info>(
  address: string,
  options: ConnectOptions,
  reader: Reader<I>,
): Promise<OpenProvider<I>> {
  const { signal, provider } = options
  const url = address.replace(/\/+$/, '')
  const http = new Http(options)
  const info = await http.read(reader, 'GET', `${url}/api/v1/gateway/services`, { signal })
  const told = { chainId: info.chainId, registry: info.contracts.DIDRegistry }
  const contracts = options.contracts ?? told
  requireSame(contracts, told)
  const ask = provider ? askThroughWallet(provider) : askThroughGateway(http, url)
  const chain = new ChainReader(contracts, ask)
  await chain.requireChain(signal)
  const resolver = new Resolver(chain, http)
  const metadataUrl = (options.metadataUrl ?? url).replace(/\/+$/, '')
  const assets = new Assets(http, metadataUrl, resolver)
  const client = { assets, contracts, contractsAreGiven: !!options.contracts, providerAddress: info.providerAddress }
  return { client, info, url, metadataUrl, http, ask, chain, resolver }
}

function requireSame(wanted: Contracts, told: Contracts): void {
  if (wanted.chainId === told.chainId && readAddress(wanted.registry) === told.registry) return
  const [wants, uses] = [wanted, told].map(({ chainId, registry }) => `${registry} of chain ${chainId}`)
  throw new InsituError(errors.ContractMismatch, `the gateway uses the registry ${uses}, not ${wants}`)
}
