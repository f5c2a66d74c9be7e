import * as errors from '../api/errors.gen.js'
import { toHex } from '../domain/bytes.js'
import { mainOf, readDdo } from '../domain/ddo.js'
import { sameAddress } from '../domain/ids.js'
import { requestTypedData, type SignedRequest } from '../domain/registry-requests.js'
import { anyObject } from '../domain/shape.js'
import { signerOf } from '../domain/signatures.js'
import { typedDataDigest } from '../domain/typed-data.js'
import { InsituError } from '../errors.js'
import { abortable, type CallControl, signedBySomebodyElse, sleep } from './account.js'
import type { AccountClient } from './account-client.js'
import type { UnsignedDdo } from './assembly.js'

/** Seconds for which a request can be sent; gateways refuse more than 600, by a clock of their own. */
const VALID = 540
const FIRST_LOOK = 50
const LONGEST_LOOK = 1000
/** Milliseconds after which the gateway is asked where the request stands. */
const ASK_AGAIN = 5000

/** Signs registrations for one account; the gateway sends them. */
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
    const { chainId, registry } = this.#client.contracts
    if ((await chain.code(providerAddress, control.signal)) !== '0x') {
      throw new InsituError(errors.ProviderIsContract, `${providerAddress} is the account of a contract`)
    }
    const items = documents.map(({ seed, checksum }) => {
      return { seed, checksum: `0x${checksum}` as const, providers: [providerAddress], url }
    })
    const deadline = (await chain.time(control.signal)) + VALID
    const request = { registrations: { creator: account.address, items, deadline } }
    const data = requestTypedData(request, chainId, registry)
    const names = documents.map(({ did, json }) => String(mainOf(readDdo(json))['name'] ?? did)).join(' and ')
    const message = `Your wallet is asked to sign the registration of ${names}, with ${providerAddress} as provider.`
    control.onProgress?.({ step: 'publication', message, asks: data })
    control.signal?.throwIfAborted()
    const signature = await abortable(account.signTypedData(data), control.signal)
    const signer = signerOf(typedDataDigest(data), signature)
    const isOurs = signer !== undefined && sameAddress(signer, account.address)
    if (!isOurs && (await chain.code(account.address, control.signal)) === '0x') {
      signedBySomebodyElse(account.address, signer)
    }
    return { ...request, chainId, registry, signature: toHex(signature) }
  }

  /**
   * Let the gateway send a request, and return once the registry has all of it.
   *
   * @throws InsituError `TransactionUnconfirmed` if it was not sent in time, `DIDExists` if another account owns the asset
   * by now, what the gateway refuses with
   */
  async send(request: SignedRequest, documents: readonly UnsignedDdo[], control: CallControl): Promise<void> {
    const { chain, gateway } = this.#client.parts
    const { signal } = control
    const deadline = 'registrations' in request ? request.registrations.deadline : 0
    control.onProgress?.({ step: 'send', message: 'The gateway sends the registration to the chain.' })
    await gateway.open(anyObject, '/requests', request, signal)
    let asked = performance.now()
    for (let pause = FIRST_LOOK; ; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
      if (await this.#areRegistered(documents, signal)) return
      if ((await chain.time(signal)) > deadline) {
        throw new InsituError(
          errors.TransactionUnconfirmed,
          `${gateway.url} did not send the request before its deadline`,
        )
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
