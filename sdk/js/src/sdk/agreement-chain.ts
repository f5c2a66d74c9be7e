import * as abi from '../api/abi.gen.js'
import * as errors from '../api/errors.gen.js'
import { type AbiResult, type AbiValue, encodeCall } from '../domain/abi.js'
import { agreementDomain, agreementId, TERMS_MEMBERS, type Terms } from '../domain/agreement.js'
import { type Hex, toHex } from '../domain/bytes.js'
import { isObject } from '../domain/canonical.js'
import { didHex } from '../domain/did.js'
import { type Address, type AgreementId, readAddress, sameAddress } from '../domain/ids.js'
import type { SigningDomain } from '../domain/typed-data.js'
import { InsituError } from '../errors.js'
import { abortable } from './account.js'
import { type AskNode, decodeAnswer, topicOf } from './chain-reader.js'

/** Where agreements are made and paid: one deployment of the contracts. */
export interface AgreementContracts {
  readonly chainId: number
  readonly registry: Address
  /** The ServiceExecutionTemplate, which holds the payments. */
  readonly template: Address
  /** What is paid with. */
  readonly token: Address
}

/** The token that is paid with. An amount of 10^decimals base units is one token. */
export interface TokenFacts {
  readonly address: Address
  readonly name: string
  readonly symbol: string
  readonly decimals: number
}

/** An agreement on chain. Times are seconds since 1970, amounts base units. */
export interface AgreementState {
  readonly settled: bigint
  /** When it was created, and from the lock on when it was locked. */
  readonly start: number
  readonly locked: boolean
  readonly granted: boolean
  /** The money went back: it was refused, cancelled, or timed out. */
  readonly refunded: boolean
  readonly closed: boolean
}

/** One settlement of an agreement, as the chain has it. */
export interface SettledExecution {
  readonly index: number
  readonly charge: bigint
  readonly receiptHash: Hex
}

/** Blocks of one search; gateways pass on no longer ones. */
const SPAN = 2000
const FULFILLED = 2n
const ABORTED = 3n

interface Log {
  readonly topics: readonly string[]
  readonly data: unknown
}

/** Reads agreements, their token, and who provides an asset. */
export class AgreementChain {
  readonly contracts: AgreementContracts
  /** What terms are signed for. */
  readonly domain: SigningDomain
  readonly #ask: AskNode
  #token: Promise<TokenFacts> | undefined

  constructor(contracts: AgreementContracts, ask: AskNode) {
    this.contracts = contracts
    this.domain = agreementDomain(contracts.chainId, contracts.template)
    this.#ask = ask
  }

  /** Call a function that only reads. Throws `ChainUnavailable`. */
  async view(
    to: Address,
    called: abi.AbiFunction,
    values: readonly AbiValue[],
    signal?: AbortSignal,
  ): Promise<readonly AbiResult[]> {
    const data = toHex(encodeCall(called.signature, values))
    return decodeAnswer(called.returns, await this.#ask('eth_call', [{ to, data }, 'latest'], signal))
  }

  /** Return the time of the next block, in seconds since 1970. */
  async time(signal?: AbortSignal): Promise<number> {
    return Math.max(...(await Promise.all(['latest', 'pending'].map(name => this.timeOf(name, signal)))))
  }

  /** Return the time of a block, in seconds since 1970; 0 if the node has none. */
  async timeOf(block: number | string, signal?: AbortSignal): Promise<number> {
    const name = typeof block === 'number' ? hex(block) : block
    const found = await this.#ask('eth_getBlockByNumber', [name, false], signal)
    return isObject(found) ? Number(found['timestamp']) : 0
  }

  /** Return the code at an address; `0x` if it is the account of a key. */
  async code(account: Address, signal?: AbortSignal): Promise<Hex> {
    return String(await this.#ask('eth_getCode', [account, 'latest'], signal)) as Hex
  }

  /** Return how much of the chain's own coin an account has. */
  async coin(account: Address, signal?: AbortSignal): Promise<bigint> {
    return BigInt(String(await this.#ask('eth_getBalance', [account, 'latest'], signal)))
  }

  /** Return whether a transaction did what it should; undefined if it is in no block yet. */
  async succeeded(transaction: string, signal?: AbortSignal): Promise<boolean | undefined> {
    const receipt = await this.#ask('eth_getTransactionReceipt', [transaction], signal)
    return isObject(receipt) ? Number(receipt['status']) === 1 : undefined
  }

  /** Return whether an account is owner or provider of an asset. */
  async isProvider(did: string, account: Address, signal?: AbortSignal): Promise<boolean> {
    const [answer] = await this.view(this.contracts.registry, abi.isDIDProvider, [didHex(did), account], signal)
    return answer === true
  }

  /** Return one number that the token says about accounts. */
  async tokenNumber(called: abi.AbiFunction, accounts: readonly Address[], signal?: AbortSignal): Promise<bigint> {
    const [answer] = await this.view(this.contracts.token, called, accounts, signal)
    return BigInt(String(answer))
  }

  /** Describe the token. Several parts of a page need it at once, so it is asked once. */
  async token(signal?: AbortSignal): Promise<TokenFacts> {
    signal?.throwIfAborted()
    this.#token ??= this.#describeToken().catch((error: unknown) => {
      this.#token = undefined
      throw error
    })
    return abortable(this.#token, signal)
  }

  async #describeToken(): Promise<TokenFacts> {
    const address = this.contracts.token
    const asked = [abi.name, abi.symbol, abi.decimals].map(called => this.view(address, called, []))
    const [name, symbol, decimals] = (await Promise.all(asked)).map(([answer]) => answer)
    return { address, name: String(name), symbol: String(symbol), decimals: Number(decimals) }
  }

  /** Return where an agreement stands; nothing of it is true if there is none. */
  async state(agreement: AgreementId, signal?: AbortSignal): Promise<AgreementState> {
    const [found] = await this.view(this.contracts.template, abi.getAgreement, [`0x${agreement}`], signal)
    const [settled, start, lock, compute, escrow, closed] = found as readonly AbiResult[]
    return {
      ...{ settled: BigInt(String(settled)), start: Number(start), locked: lock === FULFILLED },
      ...{ granted: compute === FULFILLED, refunded: escrow === ABORTED, closed: closed === true },
    }
  }

  /**
   * Return the terms behind an agreement's id. Nobody can forge them: the id is their hash.
   *
   * @throws InsituError `AgreementUnknown`
   */
  async terms(agreement: AgreementId, signal?: AbortSignal): Promise<Terms> {
    const topics = [topicOf(abi.AgreementCreated), `0x${agreement}`]
    for await (const terms of this.#created(topics, signal)) {
      if (agreementId(terms, this.domain) === agreement) return terms
    }
    throw new InsituError(errors.AgreementUnknown, `the chain has no agreement ${agreement}`)
  }

  /** Yield the terms of a consumer's agreements, newest first. */
  async *termsOf(consumer: Address, signal?: AbortSignal): AsyncGenerator<Terms, void, undefined> {
    const topics = [topicOf(abi.AgreementCreated), null, word(consumer)]
    for await (const terms of this.#created(topics, signal)) if (sameAddress(terms.consumer, consumer)) yield terms
  }

  /** Return the terms of a consumer's agreement with this seed, or undefined. */
  async termsOfSeed(consumer: Address, seed: Hex, signal?: AbortSignal): Promise<Terms | undefined> {
    for await (const terms of this.termsOf(consumer, signal)) if (terms.seed === seed) return terms
    return undefined
  }

  /** Return the settlement of an execution, or undefined if it is not settled yet. */
  async settlement(
    agreement: AgreementId,
    index: number,
    since: number,
    signal?: AbortSignal,
  ): Promise<SettledExecution | undefined> {
    const number = `0x${index.toString(16).padStart(64, '0')}`
    const topics = [topicOf(abi.PaymentReleased), `0x${agreement}`, number]
    for await (const log of this.#walk(topics, since, signal)) {
      const [charge, receiptHash] = decodeAnswer(abi.PaymentReleased.data, log.data)
      return { index, charge: BigInt(String(charge)), receiptHash: String(receiptHash) as Hex }
    }
    return undefined
  }

  /** Return the accounts that some owner of an asset ever let provide it, in blocks from `since` on. */
  async everProvided(did: string, since: number, signal?: AbortSignal): Promise<readonly Address[]> {
    const names = [abi.DIDProviderAdded, abi.DIDProviderRemoved].map(topicOf)
    const found = new Set<Address>()
    for (let to = Number(await this.#ask('eth_blockNumber', [], signal)); to >= since; to -= SPAN) {
      const from = Math.max(since, to - SPAN + 1)
      const filter = { fromBlock: hex(from), toBlock: hex(to), topics: [null, didHex(did)] }
      for (const { topics } of await this.#logs(this.contracts.registry, filter, signal)) {
        if (names.includes(String(topics[0]))) found.add(readAddress(`0x${String(topics[2]).slice(-40)}`))
      }
    }
    return [...found]
  }

  async *#created(topics: readonly (string | null)[], signal?: AbortSignal): AsyncGenerator<Terms, void, undefined> {
    for await (const log of this.#walk(topics, 0, signal)) {
      const [struct] = decodeAnswer(abi.AgreementCreated.data, log.data)
      yield termsOfStruct(struct as readonly AbiResult[])
    }
  }

  /** Yield events of the template, newest first, down to blocks from before a time. */
  async *#walk(
    topics: readonly (string | null)[],
    since: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Log, void, undefined> {
    let to = Number(await this.#ask('eth_blockNumber', [], signal))
    while (to >= 0) {
      const from = Math.max(0, to - SPAN + 1)
      const filter = { fromBlock: hex(from), toBlock: hex(to), topics }
      yield* (await this.#logs(this.contracts.template, filter, signal)).reverse()
      if (since > 0 && (await this.timeOf(from, signal)) < since) return
      to = from - 1
    }
  }

  async #logs(address: Address, filter: object, signal?: AbortSignal): Promise<Log[]> {
    const logs = await this.#ask('eth_getLogs', [{ address, ...filter }], signal)
    const found = Array.isArray(logs) ? logs : []
    return found.filter(log => isObject(log) && Array.isArray(log['topics'])) as unknown as Log[]
  }
}

function hex(number: number): string {
  return `0x${number.toString(16)}`
}

function word(account: Address): string {
  return `0x${account.slice(2).toLowerCase().padStart(64, '0')}`
}

function termsOfStruct(values: readonly AbiResult[]): Terms {
  const read = TERMS_MEMBERS.map(({ name, type }, at) => {
    const value = values[at]
    if (type === 'address') return [name, readAddress(String(value))]
    if (type === 'address[]') return [name, (value as readonly string[]).map(readAddress)]
    return [name, type.startsWith('uint') && !type.endsWith('[]') ? Number(value) : value]
  })
  return Object.fromEntries(read) as Terms
}
