import * as abi from '../api/abi.gen.js'
import * as errors from '../api/errors.gen.js'
import { agreementId, type Terms } from '../domain/agreement.js'
import { plainDigits, toHex } from '../domain/bytes.js'
import type { JsonObject } from '../domain/canonical.js'
import { computeServiceOf } from '../domain/ddo.js'
import { didOfHex } from '../domain/did.js'
import { type AgreementId, readAgreementId } from '../domain/ids.js'
import { displayAmount } from '../domain/money.js'
import { termsOf } from '../domain/quote-verification.js'
import { InsituError, isInsituError } from '../errors.js'
import { type Account, abortable, type CallControl, onlySignal, sleep } from './account.js'
import type { AgreementChain } from './agreement-chain.js'
import { type Agreement, agreementAt, type BuyOptions, type CloseOptions } from './agreement-facts.js'
import type { Closing, Endings } from './endings.js'
import type { ReceiptView } from './execution.js'
import { type GatewayClient, gatewayUrl } from './gateway.js'
import { type AgreementPage, agreementsAt, type PageOptions } from './lists.js'
import { Purchases, waitForGrant } from './purchases.js'
import {
  gatewayAnswer,
  judge,
  readPlanned,
  readWanted,
  requireAllowed,
  type Verdict,
  type WantedWorkflow,
} from './quotes.js'
import type { Resolver } from './resolver.js'

/** How a price is asked for. */
export type CheckOptions = Pick<BuyOptions, 'serviceIndex' | 'signal'>

/** What agreements need. */
export interface AgreementParts {
  readonly chain: AgreementChain
  readonly account: Account
  readonly resolver: Resolver
  readonly gatewayAt: (url: string) => GatewayClient
  /** Address of the gateway that the client is connected to. */
  readonly url: string
  /** Refuses contracts that nobody trusts. */
  readonly requireTrusted: (signal?: AbortSignal) => Promise<void>
}

/** Buys workflows for one account. */
export class Agreements {
  readonly #parts: AgreementParts
  readonly #purchases: Purchases
  /** Loaded when somebody ends something. */
  readonly #endings: () => Promise<Endings>
  readonly #terms = new Map<AgreementId, Terms>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: AgreementParts) {
    this.#parts = parts
    this.#purchases = new Purchases(parts.chain, parts.account)
    const gatewayOf = async (id: AgreementId, signal?: AbortSignal) =>
      parts.gatewayAt(gatewayUrl(await this.endpoint(id, signal)))
    const needed = { ...parts, gatewayOf, show: this.show.bind(this) }
    this.#endings = async () => new (await import('./endings.js')).Endings(needed)
  }

  /**
   * Ask for verdict, server and price of a workflow (C1). The answer is recomputed from the documents; nothing is signed.
   *
   * @throws InsituError `TermsMismatch` if the gateway says something else than the documents, `TemplateNotApproved`,
   * `NotDIDProvider`, and what resolving throws
   */
  async check(workflowDid: string, options: CheckOptions = {}): Promise<Verdict> {
    return (await this.#check(workflowDid, options))[0]
  }

  /**
   * Ask like `check` about a workflow that is not published. A stage without `transformation.id` runs an algorithm that this
   * account has not published.
   *
   * @param described - its `main.workflow`
   * @throws InsituError what `check` throws, `InvalidDocument` with a pointer into `described`
   */
  async checkPlanned(described: JsonObject, options: CheckOptions = {}): Promise<Verdict> {
    const { chain, resolver } = this.#parts
    const { serviceIndex, signal } = options
    const { validateWorkflow } = await import('../domain/workflow-rules.js')
    const workflow = validateWorkflow(described, '', true)
    const wanted = await readPlanned(resolver, chain, workflow, serviceIndex, signal)
    return (await this.#ask(wanted, { workflow: described }, options))[0]
  }

  /**
   * Buy a workflow (C1–C8) without coin: verify everything, let the account sign at most twice, let the gateway send it,
   * and await the grant.
   *
   * @throws InsituError `ContractMismatch`, `PriceTooHigh`, `InsufficientFunds`, `RejectedByUser`, `AgreementRefused`,
   * `AgreementNotGranted`, `RelayOff`, `RelayLimitReached`, `RelayExhausted`, what `check` throws, or the code of the
   * first reason why the workflow may not run
   */
  async buy(workflowDid: string, options: BuyOptions = {}): Promise<Agreement> {
    const { chain, account, requireTrusted } = this.#parts
    const { signal, onProgress } = options
    const seed = plainDigits(options.seed ?? toHex(crypto.getRandomValues(new Uint8Array(32))))
    readAgreementId(seed)
    onProgress?.({ step: 'verify', message: 'Contracts, documents and price are verified.' })
    await requireTrusted(signal)
    const earlier =
      options.seed === undefined ? undefined : await chain.termsOfSeed(account.address, `0x${seed}`, signal)
    const terms =
      earlier ??
      (await abortable(
        this.#inTurn(() => this.#purchase(workflowDid, seed, options)),
        signal,
      ))
    const id = agreementId(terms, chain.domain)
    this.#terms.set(id, terms)
    onProgress?.({ step: 'grant', message: 'The payment is in escrow, and the provider is to grant the executions.' })
    await waitForGrant(chain, id, terms, signal)
    return this.show(id, { ...(signal && { signal }) })
  }

  /** Return an agreement by its id. Throws `InvalidId`, `AgreementUnknown`. */
  async show(agreement: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Agreement> {
    const id = readAgreementId(agreement)
    return this.#lookUp(id, await this.terms(id, signal), signal)
  }

  /**
   * Yield the agreements of the account, newest first, as the chain has them: also those that were bought elsewhere. It
   * reads back to the chain's beginning; leave the loop to end that.
   *
   * @throws InsituError `ChainUnavailable`
   */
  async *list({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Agreement, void, undefined> {
    const { chain, account } = this.#parts
    for await (const terms of chain.termsOf(account.address, signal)) {
      const id = agreementId(terms, chain.domain)
      this.#terms.set(id, terms)
      yield this.#lookUp(id, terms, signal)
    }
  }

  /**
   * List what the account bought at a gateway, newest first, with the executions that are left. It is what the gateway
   * remembers; `show` asks the chain.
   *
   * @throws InsituError `RejectedByUser` from the sign-in, what the gateway refuses with
   */
  async page(options: PageOptions = {}): Promise<AgreementPage> {
    return agreementsAt(this.#parts.gatewayAt(options.gateway ?? this.#parts.url), options)
  }

  /** Return the terms behind an agreement's id. They never change. Throws `InvalidId`, `AgreementUnknown`. */
  async terms(agreement: string, signal?: AbortSignal): Promise<Terms> {
    const id = readAgreementId(agreement)
    const terms = this.#terms.get(id) ?? (await this.#parts.chain.terms(id, signal))
    this.#terms.set(id, terms)
    return terms
  }

  /** Ask what closing an agreement costs now, and what comes back. Throws like `close`. */
  async previewClose(agreement: string, control: CallControl = {}): Promise<Closing> {
    return (await this.#endings()).preview(agreement, control)
  }

  /**
   * End an agreement early and get its price back, in a transaction of the provider. It never costs less than waiting:
   * what would be charged at the agreement's end is charged now. Nothing starts afterwards.
   *
   * The account sends it itself, which costs gas, if the payment has timed out or the provider has no gas left for it.
   *
   * @throws InsituError `PriceTooHigh` if it costs more than `maxCharge` (base units, by default nothing),
   * `ExecutionInProgress`, `NotConsumer`, `AgreementUnknown`, and what `refund` throws where the account sends
   */
  async close(agreement: string, options: CloseOptions = {}): Promise<Closing> {
    return (await this.#endings()).close(agreement, options)
  }

  /**
   * Send the money of a timed-out agreement back to its consumer. Anybody may do this; the account sends it and pays for gas.
   *
   * @throws InsituError `NotTimedOut` with the deadline, `ConditionNotInState`, `AgreementUnknown`, `ContractMismatch`;
   * `RelayOff` if the account cannot send transactions, `InsufficientFunds` if it has no coin, `RejectedByUser`,
   * `TransactionFailed`, `TransactionUnconfirmed`
   */
  async refund(agreement: string, control: CallControl = {}): Promise<Agreement> {
    await (await this.#endings()).refund(agreement, control)
    return this.show(agreement, onlySignal(control))
  }

  /**
   * Release the payment of a receipt to the agreed receivers, if its provider does not. Anybody may do this; the account sends
   * it and pays for gas.
   *
   * @throws InsituError `ReceiptInvalid`, `ReceiptRequired` if it releases nothing, `ExecutionAlreadySettled`, and what
   * `refund` throws
   */
  async release(receipt: ReceiptView, control: CallControl = {}): Promise<void> {
    return (await this.#endings()).release(receipt, control)
  }

  /** Return where a bought service is called now; its owner may have changed that since the purchase. */
  async endpoint(agreement: string, signal?: AbortSignal): Promise<string> {
    const { did, serviceIndex } = await this.terms(agreement, signal)
    const { ddo } = await this.#parts.resolver.resolve(didOfHex(did), signal)
    return computeServiceOf(ddo, serviceIndex).serviceEndpoint ?? ''
  }

  async #check(workflowDid: string, options: CheckOptions): Promise<readonly [Verdict, GatewayClient]> {
    const { chain, resolver } = this.#parts
    const wanted = await readWanted(resolver, chain, workflowDid, options.serviceIndex, options.signal)
    return this.#ask(wanted, { workflowDid }, options)
  }

  async #ask(
    wanted: WantedWorkflow,
    workflow: JsonObject,
    { serviceIndex, signal }: CheckOptions,
  ): Promise<readonly [Verdict, GatewayClient]> {
    const { chain, account, gatewayAt } = this.#parts
    const gateway = gatewayAt(gatewayUrl(wanted.inputs[0]?.entry.serviceEndpoint ?? ''))
    const question = { consumer: account.address, ...workflow, ...(serviceIndex !== undefined && { serviceIndex }) }
    const answer = await gateway.open(gatewayAnswer, '/check', question, signal)
    return [await judge(answer, wanted, chain, account.address, signal), gateway]
  }

  async #purchase(workflowDid: string, seed: string, options: BuyOptions): Promise<Terms> {
    const { chain, account } = this.#parts
    const [verdict, gateway] = await this.#check(workflowDid, options)
    requireAllowed(verdict)
    const { total } = verdict.cost
    const token = await chain.token(options.signal)
    const shown = (amount: bigint) => displayAmount(amount, token.decimals, token.symbol)
    if (options.maxPrice !== undefined && total > options.maxPrice) {
      const detail = `the price is ${shown(total)}, the limit ${shown(options.maxPrice)}`
      throw new InsituError(errors.PriceTooHigh, detail, { context: { price: total } })
    }
    const held = await chain.tokenNumber(abi.balanceOf, [account.address], options.signal)
    if (held < total) {
      const detail = `${account.address} holds ${shown(held)}, the price is ${shown(total)}`
      throw new InsituError(errors.InsufficientFunds, detail, { context: { held, price: total } })
    }
    const terms = termsOf(verdict.quote, account.address, await chain.time(options.signal), seed)
    try {
      await this.#purchases.send(terms, token, gateway, options)
    } catch (error) {
      if (options.seed === undefined || !isInsituError(error) || error.code !== 'AgreementExists') throw error
      return this.#earlier(terms, options)
    }
    return terms
  }

  async #lookUp(id: AgreementId, terms: Terms, signal?: AbortSignal): Promise<Agreement> {
    const { chain } = this.#parts
    const [state, now] = await Promise.all([chain.state(id, signal), chain.time(signal)])
    return agreementAt(now, id, terms, state)
  }

  /** Wait for the purchase that an earlier call with the same seed left with the gateway. */
  async #earlier({ seed, consumer, deadline }: Terms, { signal }: CallControl): Promise<Terms> {
    const { chain } = this.#parts
    while ((await chain.time(signal)) <= deadline) {
      const found = await chain.termsOfSeed(consumer, seed, signal)
      if (found && (await chain.state(agreementId(found, chain.domain), signal)).locked) return found
      await sleep(1000, signal)
    }
    const detail = 'an earlier purchase with this seed was not sent before its deadline'
    throw new InsituError(errors.TransactionUnconfirmed, detail)
  }

  /** A token counts an account's permits (ERC-2612), so purchases are made one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}
