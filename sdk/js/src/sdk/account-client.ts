import * as errors from '../api/errors.gen.js'
import { didOfHex } from '../domain/did.js'
import {
  type Address,
  type ExecutionId,
  readAddress,
  readAgreementId,
  readExecutionId,
  sameAddress,
} from '../domain/ids.js'
import type { VerifiedReceipt } from '../domain/receipt.js'
import type { Parameters } from '../domain/revisions.js'
import { address, integer, object, text } from '../domain/shape.js'
import { InsituError } from '../errors.js'
import { orUndefined } from './absence.js'
import type { Account, CallControl, WalletTransaction } from './account.js'
import { AgreementChain, type AgreementContracts, type TokenFacts } from './agreement-chain.js'
import type { Agreement, BuyOptions } from './agreement-facts.js'
import { Agreements, type CheckOptions } from './agreements.js'
import type { Contracts, DidRecord } from './chain-reader.js'
import { type Client, type ConnectOptions, type OpenProvider, openProvider } from './client.js'
import { Execution, type ReceiptView } from './execution.js'
import { GatewayClient, gatewayUrl } from './gateway.js'
import type { Http } from './http.js'
import {
  type EventsOptions,
  type ExecutionPage,
  type ExecutionsOptions,
  eventsAt,
  executionsAt,
  type HappenedAnywhere,
} from './lists.js'
import type { Verdict } from './quotes.js'
import type { ReceiptLike, VerifyOptions } from './receipts.js'
import type { Resolver } from './resolver.js'
import { Session, type SignInPage } from './session.js'
import type { SessionStore } from './session-store.js'
import type { StreamSharing } from './shared-streams.js'
import { Streams } from './streams.js'
import { type ConfirmContracts, knownContracts, requireTrusted } from './trust.js'

/** How a client of an account is connected. */
export interface AccountOptions extends ConnectOptions {
  /**
   * Chain, registry and template that are trusted. Without the template, those of this release's own list are, and of another
   * chain `confirmContracts` is asked.
   */
  readonly contracts?: (Contracts & { readonly template?: Address | undefined }) | undefined
  /** Asked once before anything is signed for contracts that `contracts` does not name. */
  readonly confirmContracts?: ConfirmContracts | undefined
  /** Where sessions are kept over page loads, such as `sessionStorageOf(sessionStorage)`; otherwise in memory alone. */
  readonly sessions?: SessionStore | undefined
  /** Shares streams with the other tabs of a page's origin: `sharedByTabs()`. Otherwise each one has its connection. */
  readonly sharing?: StreamSharing | undefined
}

/** How an execution is started. */
export interface ExecuteOptions extends CallControl {
  /** On-chain checksum of a later version of the workflow, which this account registered. */
  readonly workflowChecksum?: string | undefined
  /** Index of a stage as text → name → value, where the owners of the data allow that name. */
  readonly parameters?: Parameters | undefined
  /** Repeating the call with it finds the first execution, even from another page. */
  readonly idempotencyKey?: string | undefined
}

const INFO = /* @__PURE__ */ (() => {
  const contracts = object({ DIDRegistry: address, ServiceExecutionTemplate: address, NeverminedToken: address })
  return object({ chainId: integer(1), contracts, providerAddress: address })
})()

const ACCEPTED = /* @__PURE__ */ (() => object({ workflowExecutionId: text }))()

/** A chain, and what is paid with there. */
export interface ChainFacts {
  readonly chainId: number
  /** What people call it; `chain 5` if this release does not know it. */
  readonly name: string
  readonly token: TokenFacts
}

/** What other entry points of this package build on. Programs do not need it, and it may change. */
export interface AccountParts {
  readonly account: Account
  /** Address of the gateway, and of the catalogue, without the path of the API. */
  readonly url: string
  readonly metadataUrl: string
  readonly http: Http
  readonly gateway: GatewayClient
  /** The client of any gateway, with its session. */
  readonly gatewayAt: (url: string) => GatewayClient
  readonly chain: AgreementChain
  readonly registry: RegistryRecords
  readonly resolver: Resolver
  /** Refuses contracts that nobody trusts. */
  readonly trust: (signal?: AbortSignal) => Promise<void>
}

/** Looks up assets that may not be registered. */
export interface RegistryRecords {
  /** Return the registry's record of a DID, or undefined. */
  findRecord(did: string, signal?: AbortSignal): Promise<DidRecord | undefined>
}

/** Everything that a data scientist does, for one account. */
export class AccountClient {
  /** Everything that can be done without an account. */
  readonly reading: Client
  readonly assets: Client['assets']
  readonly agreements: Agreements
  readonly account: Address
  readonly contracts: AgreementContracts
  /** What other entry points of this package build on. */
  readonly parts: AccountParts
  readonly #parts: OpenProvider
  readonly #chain: AgreementChain
  readonly #gatewayAt: (url: string) => GatewayClient

  /** Made by {@link connectAccount}. */
  constructor(parts: OpenProvider, contracts: AgreementContracts, account: Account, options: AccountOptions) {
    const { client, http, ask, resolver } = parts
    this.#parts = parts
    this.reading = client
    this.assets = client.assets
    this.account = account.address
    this.contracts = contracts
    const chain = new AgreementChain(contracts, ask)
    this.#chain = chain
    const streams = new Streams(options)
    const gateways = new Map<string, GatewayClient>()
    const gatewayAt = (url: string) => {
      const open = () => new Session(http, url, account, options.sessions, pageOf(contracts.chainId))
      const known = gateways.get(url) ?? new GatewayClient(http, streams, url, open(), options.sharing)
      gateways.set(url, known)
      return known
    }
    this.#gatewayAt = gatewayAt
    let isTrusted = false
    const trust = async (signal?: AbortSignal) => {
      const isKnown = options.contracts?.template !== undefined || knownContracts(contracts) !== undefined
      if (!isTrusted) await requireTrusted(chain, isKnown, options.confirmContracts, signal)
      isTrusted = true
    }
    const { url, metadataUrl } = parts
    this.agreements = new Agreements({ chain, account, resolver, gatewayAt, url, requireTrusted: trust })
    const findRecord = (did: string, signal?: AbortSignal) => orUndefined(parts.chain.didRecord(did, signal))
    const more = { gateway: gatewayAt(url), gatewayAt, registry: { findRecord }, trust }
    this.parts = { account, url, metadataUrl, http, chain, resolver, ...more }
  }

  /** Ask for verdict, server and price of a workflow; see `Agreements.check`. */
  check(workflowDid: string, options: CheckOptions = {}): Promise<Verdict> {
    return this.agreements.check(workflowDid, options)
  }

  /** Buy a workflow; see `Agreements.buy`. */
  buy(workflowDid: string, options: BuyOptions = {}): Promise<Agreement> {
    return this.agreements.buy(workflowDid, options)
  }

  /**
   * Start an execution. The agreement's id is all it needs, at any time until the timeout.
   *
   * @throws InsituError `AgreementUnknown`, `AgreementExpired`, `NotConsumer`, `ExecutionInProgress`,
   * `ExecutionLimitReached`, `RevisionNotAllowed`, `ParameterNotAllowed`, or why the workflow may no longer run
   */
  async execute(agreement: string, options: ExecuteOptions = {}): Promise<Execution> {
    const { signal, onProgress, workflowChecksum, parameters } = options
    const id = readAgreementId(agreement)
    const { workflowId } = await this.agreements.terms(id, signal)
    const endpoint = await this.agreements.endpoint(id, signal)
    const gateway = this.#gatewayAt(gatewayUrl(endpoint))
    const headers = { 'Idempotency-Key': options.idempotencyKey ?? crypto.randomUUID() }
    const json = { serviceAgreementId: id, workflowDid: didOfHex(workflowId), workflowChecksum, parameters }
    const call = { json, headers, idempotent: true, onProgress, signal }
    const accepted = await gateway.call(ACCEPTED, 'POST', endpoint, call)
    return new Execution(gateway, id, readExecutionId(accepted.workflowExecutionId))
  }

  /** Buy a workflow and start its first execution. Throws what `buy` and `execute` throw. */
  async run(workflowDid: string, options: BuyOptions = {}): Promise<Execution> {
    const { id } = await this.buy(workflowDid, options)
    return this.execute(id, { signal: options.signal, onProgress: options.onProgress })
  }

  /** Return the handle of an execution by its two ids. Throws `AgreementUnknown`, `InvalidId`. */
  async execution(agreement: string, execution: string, signal?: AbortSignal): Promise<Execution> {
    const executionId: ExecutionId = readExecutionId(execution)
    const endpoint = await this.agreements.endpoint(agreement, signal)
    return new Execution(this.#gatewayAt(gatewayUrl(endpoint)), readAgreementId(agreement), executionId)
  }

  /**
   * List the executions that the account may see, newest first: of one agreement, or all at a gateway.
   *
   * @throws InsituError `RejectedByUser` from the sign-in, `AgreementUnknown`, `InvalidId`, what the gateway refuses with
   */
  async executions(options: ExecutionsOptions = {}): Promise<ExecutionPage> {
    const { agreement, signal, gateway = this.#parts.url } = options
    const url = agreement === undefined ? gateway : gatewayUrl(await this.agreements.endpoint(agreement, signal))
    const id = agreement && readAgreementId(agreement)
    return executionsAt(this.#gatewayAt(url), { ...options, agreement: id })
  }

  /**
   * Yield what happens to every execution that the account may see at a gateway, also to those that begin later, until you
   * leave the loop. Whoever awaits `begin` and then asks for `executions` misses nothing.
   *
   * @throws InsituError `PeerUnavailable` if the gateway stays away, what it refuses with; the reason of the signal
   */
  events(options: EventsOptions = {}): AsyncGenerator<HappenedAnywhere, void, undefined> {
    return eventsAt(this.#gatewayAt(options.gateway ?? this.#parts.url), options)
  }

  /** Return which chain this is and what is paid with, as its node says. Throws `ChainUnavailable`. */
  async chainFacts({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<ChainFacts> {
    const { chainId } = this.contracts
    const name = knownContracts(this.contracts)?.chain ?? `chain ${chainId}`
    return { chainId, name, token: await this.#chain.token(signal) }
  }

  /** Check a receipt, and compare it with the chain; see `verifyOnChain`. */
  async verify(receipt: ReceiptLike, options: VerifyOptions = {}): Promise<VerifiedReceipt> {
    const { verifyOnChain } = await import('./receipts.js')
    return verifyOnChain(receipt, this.#chain, this.#parts.chain, options)
  }

  /** Release the payment of a receipt; see `Agreements.release`. */
  release(receipt: ReceiptView, control: CallControl = {}): Promise<void> {
    return this.agreements.release(receipt, control)
  }

  /** Return the session at a gateway; by default at the one that the client is connected to. */
  session(url: string = this.#parts.url): Session {
    return this.#gatewayAt(url).session
  }
}

/**
 * Connect to a provider for an account: a key of this program, or a wallet.
 *
 * Nothing is signed here. Give `provider` (a node that you trust, or that of the wallet), because what is read through the
 * gateway is as true as the gateway; give `contracts`, or answer `confirmContracts`.
 *
 * @param url - address of its gateway, without the path of the API
 * @throws InsituError what `connect` throws
 */
export async function connectAccount(
  url: string,
  account: Account,
  options: AccountOptions = {},
): Promise<AccountClient> {
  const parts = await openProvider(url, options, INFO)
  const { ServiceExecutionTemplate: template, NeverminedToken: token } = parts.info.contracts
  const wanted = options.contracts?.template ?? template
  if (!sameAddress(wanted, template)) {
    throw new InsituError(errors.ContractMismatch, `the gateway uses the template ${template}, not ${wanted}`)
  }
  const { chainId, registry } = parts.client.contracts
  const trusted = { chainId, registry: readAddress(registry), template, token }
  return new AccountClient(parts, trusted, { ...bound(account), address: readAddress(account.address) }, options)
}

/** Return the page that this program runs in, if it runs in one. */
function pageOf(chainId: number): SignInPage | undefined {
  const origin = globalThis.location?.origin
  return /^https?:/.test(origin ?? '') ? { origin, chainId } : undefined
}

/** Keep an account's functions with it, also those of a class. */
function bound(account: Account): Account {
  return {
    address: account.address,
    signTypedData: data => account.signTypedData(data),
    signText: message => account.signText(message),
    sendTransaction: account.sendTransaction && (transaction => sending(account, transaction)),
    signDigest: account.signDigest && (digest => account.signDigest?.(digest) ?? new Uint8Array()),
  }
}

async function sending(account: Account, transaction: WalletTransaction): Promise<string> {
  return (await account.sendTransaction?.(transaction)) ?? ''
}
