import { type AbiEvent, DIDAttributeRegistered, getDIDRegister } from '../api/abi.gen.js'
import * as errors from '../api/errors.gen.js'
import { type AbiResult, decodeAbi, selector, typesOf } from '../domain/abi.js'
import { concat, fromHex, plainDigits, toHex, utf8 } from '../domain/bytes.js'
import { isObject, keccak256 } from '../domain/canonical.js'
import { type Did, didHex } from '../domain/did.js'
import { type Address, readAddress } from '../domain/ids.js'
import { InsituError } from '../errors.js'
import type { Http } from './http.js'

/** Asks a node of the chain (JSON-RPC), and returns the result. */
export type AskNode = (method: string, params: readonly unknown[], signal?: AbortSignal) => Promise<unknown>

/** A wallet's connection to its chain (EIP-1193). */
export interface WalletProvider {
  request(call: { readonly method: string; readonly params?: readonly unknown[] }): Promise<unknown>
}

/** The contracts that somebody trusts, by their names in the specification, and their chain. */
export interface Contracts {
  readonly chainId: number
  readonly registry: Address
}

/** A version of an asset as it was registered, and where it can be read. */
export interface Registration {
  readonly did: Did
  /** On-chain checksum of this version, 64 hexadecimal digits. */
  readonly checksum: string
  /** Whatever its owner wrote; `{did}` in it stands for the DID. */
  readonly url: string
  /** Counts from 1. */
  readonly version: number
  /** Who owned the DID after this version was registered, in `block`. */
  readonly registrant: Address
  readonly block: number
  /** The block of the version before, 0 for the first. */
  readonly previousBlock: number
}

/** What the registry has of a DID: its owner, and the current version. */
export interface DidRecord extends Registration {
  readonly owner: Address
  /** How often the owner or a provider changed. */
  readonly changes: number
}

/** Pauses in which a node that is adding a block may still get its events, in milliseconds: the first and the longest. */
const FIRST_LOOK = 100
const LONGEST_LOOK = 800

/** Reads what the contracts say. */
export class ChainReader {
  readonly contracts: Contracts
  readonly #ask: AskNode

  constructor(contracts: Contracts, ask: AskNode) {
    this.contracts = contracts
    this.#ask = ask
  }

  /**
   * Refuse a node of another chain; the error's context has the wanted one as `chainId`.
   *
   * @throws InsituError `ContractMismatch`, `ChainUnavailable`
   */
  async requireChain(signal?: AbortSignal): Promise<void> {
    const told = Number(await this.#ask('eth_chainId', [], signal))
    if (told === this.contracts.chainId) return
    const { chainId } = this.contracts
    throw new InsituError(errors.ContractMismatch, `the node is of chain ${told}, not of ${chainId}`, {
      context: { chainId },
    })
  }

  /**
   * Return the registry's record of a DID.
   *
   * @throws InsituError `AssetNotFound` if it is not registered, `InvalidDid`, `ChainUnavailable`
   */
  async didRecord(did: string, signal?: AbortSignal): Promise<DidRecord> {
    for (let pause = FIRST_LOOK; ; pause *= 2) {
      const data = toHex(concat(selector(getDIDRegister.signature), fromHex(didHex(did))))
      const answer = await this.#ask('eth_call', [{ to: this.contracts.registry, data }, 'latest'], signal)
      const [register] = decodeAnswer(getDIDRegister.returns, answer)
      const [owner, block, version, changes, checksum] = register as readonly AbiResult[]
      if (version === 0n) throw new InsituError(errors.AssetNotFound, `${did} is not registered on chain`)
      const found = await this.registration(did, Number(version), Number(block), signal)
      if (found !== undefined && checksum === `0x${found.checksum}`) {
        return { ...found, owner: readAddress(String(owner)), changes: Number(changes) }
      }
      if (pause > LONGEST_LOOK) throw new InsituError(errors.ChainUnavailable, `the node has no event of ${did}`)
      await new Promise(resolve => setTimeout(resolve, pause))
    }
  }

  /** Return the registration of a version of a DID in a block, or undefined. Throws `ChainUnavailable`. */
  async registration(
    did: string,
    version: number,
    block: number,
    signal?: AbortSignal,
  ): Promise<Registration | undefined> {
    const at = `0x${block.toString(16)}`
    const topics = [topicOf(DIDAttributeRegistered), didHex(did)]
    const filter = { address: this.contracts.registry, fromBlock: at, toBlock: at, topics }
    const logs = await this.#ask('eth_getLogs', [filter], signal)
    return understood(() => {
      for (const { topics, data } of logs as readonly {
        readonly topics: readonly string[]
        readonly data: unknown
      }[]) {
        const [url, number, previousBlock] = decodeAnswer(DIDAttributeRegistered.data, data)
        if (Number(number) !== version) continue
        const [, , registrant = '', checksum = ''] = topics
        return {
          ...{ did: did as Did, checksum: plainDigits(checksum), url: String(url), version, block },
          ...{ registrant: readAddress(`0x${registrant.slice(-40)}`), previousBlock: Number(previousBlock) },
        }
      }
      return undefined
    })
  }
}

/** Return the first topic of an event. */
export function topicOf(event: AbiEvent): string {
  return toHex(keccak256(utf8(event.signature)))
}

/** Read what a node answered. Throws `ChainUnavailable` if it is something else. */
export function decodeAnswer(types: readonly string[], answer: unknown): readonly AbiResult[] {
  return understood(() => decodeAbi(typesOf(`(${types.join(',')})`), fromHex(String(answer))))
}

function understood<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new InsituError(errors.ChainUnavailable, "the node's answer does not fit the contract", { cause })
  }
}

/** Return a way to ask the node behind a gateway, which passes on calls that read its contracts. */
export function askThroughGateway(http: Http, url: string): AskNode {
  return async (method, params, signal) => {
    const json = { jsonrpc: '2.0', id: 1, method, params }
    const answer = await http.call('POST', `${url}/api/v1/gateway/services/rpc`, { json, idempotent: true, signal })
    if (isObject(answer) && 'result' in answer) return answer['result']
    const error = isObject(answer) && isObject(answer['error']) ? answer['error']['message'] : 'no answer'
    throw new InsituError(errors.ChainUnavailable, `the node refused ${method}: ${String(error).slice(0, 200)}`)
  }
}

/** Return a way to ask the node of a wallet. */
export function askThroughWallet(provider: WalletProvider): AskNode {
  return async (method, params, signal) => {
    signal?.throwIfAborted()
    try {
      return await provider.request({ method, params })
    } catch (cause) {
      throw new InsituError(errors.ChainUnavailable, `the wallet's node refused ${method}`, { cause })
    }
  }
}
