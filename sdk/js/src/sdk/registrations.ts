import * as errors from '../api/errors.gen.js'
import { mainOf, readDdo } from '../domain/ddo.js'
import { didHex } from '../domain/did.js'
import { type Address, sameAddress } from '../domain/ids.js'
import { type RegistryRequest, requestTypedData, type SignedRequest } from '../domain/registry-requests.js'
import { anyObject } from '../domain/shape.js'
import { InsituError } from '../errors.js'
import { type CallControl, type Progress, sleep } from './account.js'
import type { AccountClient } from './account-client.js'
import type { UnsignedDdo } from './assembly.js'
import type { DidRecord } from './chain-reader.js'
import { signAs } from './signing.js'

/** Seconds for which a request can be sent; gateways refuse more than 600, by a clock of their own. */
const VALID = 540
/** Seconds that a request must stay valid to be sent again: gateways want 15, and a block takes time. */
const LEFT = 30
const FIRST_LOOK = 50
const LONGEST_LOOK = 1000
/** Milliseconds after which the gateway is asked where the request stands. */
const ASK_AGAIN = 5000

/** Signs requests to the registry for one account; the gateway sends them. */
export class Registrations {
  readonly #client: AccountClient

  constructor(client: AccountClient) {
    this.#client = client
  }

  /**
   * Let the account sign that documents are registered, with the gateway as their provider: once for all of them.
   *
   * @param url - where the documents will be
   * @throws InsituError `RejectedByUser`, `SignatureMismatch`, `ProviderIsContract`
   */
  async sign(documents: readonly UnsignedDdo[], url: string, control: CallControl): Promise<SignedRequest> {
    const { account, chain } = this.#client.parts
    const { providerAddress } = this.#client.reading
    if ((await chain.code(providerAddress, control.signal)) !== '0x') {
      throw new InsituError(errors.ProviderIsContract, `${providerAddress} is the account of a contract`)
    }
    const items = documents.map(({ seed, checksum }) => {
      return { seed, checksum: `0x${checksum}` as const, providers: [providerAddress], url }
    })
    const message = `Your wallet is asked to sign the registration of ${named(documents)}, with ${providerAddress} as provider.`
    const registrations = { creator: account.address, items, deadline: await this.#deadline(control) }
    return this.#sign({ registrations }, { step: 'publication', message }, control)
  }

  /**
   * Let the account sign that new versions are registered: once for all of them.
   *
   * @throws InsituError `NotDIDOwner`, `AssetNotFound`, `RejectedByUser`, `SignatureMismatch`
   */
  async signUpdates(documents: readonly UnsignedDdo[], url: string, control: CallControl): Promise<SignedRequest> {
    const items = []
    const numbers = []
    for (const { did, checksum } of documents) {
      const { version } = await this.own(did, control.signal)
      items.push({ did: didHex(did), checksum: `0x${checksum}` as const, url, version: version + 1 })
      numbers.push(version + 1)
    }
    const message = `Your wallet is asked to sign the next version of ${named(documents)} (version ${numbers.join(' and ')}).`
    const owner = this.#client.parts.account.address
    const updates = { owner, items, deadline: await this.#deadline(control) }
    return this.#sign({ updates }, { step: 'update', message }, control)
  }

  /**
   * Hand an asset to another owner, or let an account provide it or no longer: signed, sent by the gateway, and awaited.
   *
   * @param change - what happens to the asset
   * @throws InsituError `NotDIDOwner`, `ChangesMismatch` if another change came first, what `send` throws
   */
  async change(
    did: string,
    change: { readonly newOwner: Address } | { readonly provider: Address; readonly allowed: boolean },
    progress: Progress,
    control: CallControl,
  ): Promise<void> {
    const { chain } = this.#client.parts
    const { changes } = await this.own(did, control.signal)
    const common = { did: didHex(did), changes, deadline: await this.#deadline(control) }
    const request =
      'newOwner' in change
        ? { transfer: { ...common, newOwner: change.newOwner } }
        : { providerChange: { ...common, provider: change.provider, allowed: change.allowed } }
    const signed = await this.#sign(request, progress, control)
    await this.#relay(signed, control, async () => {
      const record = await this.#record(did, control.signal)
      if (record.changes <= changes) return false
      const isDone =
        'newOwner' in change
          ? sameAddress(record.owner, change.newOwner)
          : (await chain.isProvider(did, change.provider, control.signal)) === change.allowed
      if (!isDone) throw new InsituError(errors.ChangesMismatch, `another change of ${did} came first`)
      return true
    })
  }

  /**
   * Let the gateway send a request for documents, and return once the registry has all of it.
   *
   * @throws InsituError `TransactionUnconfirmed` if it was not sent in time, `DIDExists` if another account owns the asset
   * by now, what the gateway refuses with
   */
  async send(request: SignedRequest, documents: readonly UnsignedDdo[], control: CallControl): Promise<void> {
    await this.#relay(request, control, () => this.#areRegistered(documents, control.signal))
  }

  /** Return the record of an asset of this account. Throws `NotDIDOwner`, `AssetNotFound`. */
  async own(did: string, signal?: AbortSignal): Promise<DidRecord> {
    const record = await this.#record(did, signal)
    if (sameAddress(record.owner, this.#client.account)) return record
    throw new InsituError(errors.NotDIDOwner, `${record.owner} owns ${did}, and only its owner can do this`)
  }

  /** Return whether the registry still takes a request for updates that this account has signed. */
  async isSendable(request: SignedRequest, signal?: AbortSignal): Promise<boolean> {
    const { chainId, registry } = this.#client.contracts
    if (!('updates' in request) || request.chainId !== chainId || !sameAddress(request.registry, registry)) return false
    const { items, deadline } = request.updates
    if (deadline < (await this.#client.parts.chain.time(signal)) + LEFT) return false
    for (const { did, version } of items) {
      const record = await this.#record(`did:nv:${did.slice(2)}`, signal)
      if (!sameAddress(record.owner, this.#client.account) || version !== record.version + 1) return false
    }
    return true
  }

  async #record(did: string, signal?: AbortSignal): Promise<DidRecord> {
    const record = await this.#client.parts.registry.findRecord(did, signal)
    if (record !== undefined) return record
    throw new InsituError(errors.AssetNotFound, `${did} is not registered on chain`)
  }

  async #deadline({ signal }: CallControl): Promise<number> {
    return (await this.#client.parts.chain.time(signal)) + VALID
  }

  async #sign(request: RegistryRequest, progress: Progress, control: CallControl): Promise<SignedRequest> {
    const { chainId, registry } = this.#client.contracts
    const data = requestTypedData(request, chainId, registry)
    return { ...request, chainId, registry, signature: await signAs(this.#client.parts, data, progress, control) }
  }

  async #relay(request: SignedRequest, control: CallControl, isDone: () => Promise<boolean>): Promise<void> {
    const { chain, gateway } = this.#client.parts
    const { signal } = control
    control.onProgress?.({ step: 'send', message: 'The gateway sends it to the chain.' })
    await gateway.open(anyObject, '/requests', request, signal)
    let asked = performance.now()
    for (let pause = FIRST_LOOK; ; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
      if (await isDone()) return
      if ((await chain.time(signal)) > deadlineOf(request)) {
        const detail = `${gateway.url} did not send the request before its deadline`
        throw new InsituError(errors.TransactionUnconfirmed, detail)
      }
      await sleep(pause, signal)
      if (performance.now() - asked < ASK_AGAIN) continue
      asked = performance.now()
      await gateway.open(anyObject, '/requests', request, signal)
    }
  }

  async #areRegistered(documents: readonly UnsignedDdo[], signal?: AbortSignal): Promise<boolean> {
    const { account, registry } = this.#client.parts
    for (const { did, checksum } of documents) {
      const record = await registry.findRecord(did, signal)
      if (record !== undefined && !sameAddress(record.owner, account.address)) {
        throw new InsituError(errors.DIDExists, `${did} is registered, and ${record.owner} owns it now`)
      }
      if (record?.checksum !== checksum) return false
    }
    return true
  }
}

function deadlineOf(request: RegistryRequest): number {
  if ('registrations' in request) return request.registrations.deadline
  if ('updates' in request) return request.updates.deadline
  return ('transfer' in request ? request.transfer : request.providerChange).deadline
}

function named(documents: readonly UnsignedDdo[]): string {
  return documents.map(({ did, json }) => String(mainOf(readDdo(json))['name'] ?? did)).join(' and ')
}
