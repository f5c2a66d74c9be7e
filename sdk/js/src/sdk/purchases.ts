import * as abi from '../api/abi.gen.js'
import * as errors from '../api/errors.gen.js'
import { agreementId, type Terms, termsTypedData, totalOf } from '../domain/agreement.js'
import { toHex } from '../domain/bytes.js'
import { displayAmount } from '../domain/money.js'
import { permitTypedData, purchaseJson, type SignedPermit } from '../domain/purchase.js'
import { object, optional, text } from '../domain/shape.js'
import { domainSeparator } from '../domain/typed-data.js'
import { InsituError, isInsituError } from '../errors.js'
import { type Account, type CallControl, sleep } from './account.js'
import type { AgreementChain, TokenFacts } from './agreement-chain.js'
import type { GatewayClient } from './gateway.js'
import { signAs } from './signing.js'

/** Milliseconds between two looks at the chain: the first and the longest. */
const FIRST_LOOK = 50
const LONGEST_LOOK = 1000
/** Milliseconds after which the gateway is asked where the purchase stands. */
const ASK_AGAIN = 5000
/** An account whose code only delegates still signs with its key (EIP-7702). */
const DELEGATION = '0xef0100'

const PURCHASE = /* @__PURE__ */ (() => object({ transaction: optional(text) }))()

/** Makes purchases for one account, which signs and never sends: the gateway pays for the gas. */
export class Purchases {
  readonly #parts: { readonly chain: AgreementChain; readonly account: Account }

  constructor(chain: AgreementChain, account: Account) {
    this.#parts = { chain, account }
  }

  /**
   * Let the account sign the permit and the terms, let the gateway send them, and return once the payment is locked. The
   * permit allows exactly the price, and the terms say everything else.
   *
   * @throws InsituError `RejectedByUser`, `AllowanceTooLow`, `SignatureMismatch` if the wallet signed with another
   * account, `RelayOff`, `TransactionUnconfirmed` if the gateway did not send it in time, what the gateway refuses with
   */
  async send(terms: Terms, token: TokenFacts, gateway: GatewayClient, control: CallControl): Promise<void> {
    const price = displayAmount(totalOf(terms), token.decimals, token.symbol)
    const permit = await this.#permit(terms, token, price, control)
    const until = new Date(terms.deadline * 1000).toISOString()
    const message = `Your wallet is asked to sign the purchase: ${price} for ${terms.provider} to run the workflow, to be made before ${until}.`
    const signature = await signAs(
      this.#parts,
      termsTypedData(terms, this.#parts.chain.domain),
      { step: 'terms', message },
      control,
    )
    const json = purchaseJson({ terms, signature, ...(permit && { permit }) })
    control.onProgress?.({ step: 'send', message: 'The gateway sends the purchase to the chain.' })
    control.signal?.throwIfAborted()
    const ask = () => gateway.open(PURCHASE, '/agreements', json, control.signal)
    await ask()
    await this.#wait(terms, gateway.url, ask, control.signal)
  }

  /** Allow exactly the price, with the next nonce; a contract account cannot, and needs an allowance. */
  async #permit(
    terms: Terms,
    token: TokenFacts,
    price: string,
    control: CallControl,
  ): Promise<SignedPermit | undefined> {
    const { chain, signal } = { chain: this.#parts.chain, signal: control.signal }
    const { template } = chain.contracts
    const [total, { consumer, deadline }] = [totalOf(terms), terms]
    if (total === 0n) return undefined
    const code = await chain.code(consumer, signal)
    if (code !== '0x' && !code.startsWith(DELEGATION)) {
      const allowed = await chain.tokenNumber(abi.allowance, [consumer, template], signal)
      if (allowed >= total) return undefined
      const detail = `${template} may take ${allowed} base units, the price is ${total}; this account needs an allowance`
      throw new InsituError(errors.AllowanceTooLow, detail)
    }
    const nonce = await chain.tokenNumber(abi.nonces, [consumer], signal)
    const domain = await this.#tokenDomain(token, signal)
    const data = permitTypedData(domain, consumer, template, total, nonce, deadline)
    const message = `Your wallet is asked to allow the payment of ${price} into escrow. One more prompt follows, for the purchase itself.`
    return {
      value: total,
      deadline,
      signature: await signAs(this.#parts, data, { step: 'permit', message, promptsLeft: 1 }, control),
    }
  }

  /** Return the domain that the token verifies, so that what the wallet shows is what it signs. */
  async #tokenDomain(token: TokenFacts, signal?: AbortSignal) {
    const [separator] = await this.#parts.chain.view(token.address, abi.DOMAIN_SEPARATOR, [], signal)
    const { chainId } = this.#parts.chain.contracts
    for (const version of ['1', '2']) {
      const domain = { name: token.name, version, chainId, verifyingContract: token.address }
      if (toHex(domainSeparator(domain)) === separator) return domain
    }
    throw new InsituError(errors.PermitInvalid, `the token ${token.address} has a form of permit that is not known`)
  }

  async #wait(terms: Terms, url: string, ask: () => Promise<unknown>, signal?: AbortSignal): Promise<void> {
    const agreement = agreementId(terms, this.#parts.chain.domain)
    let [pause, asked] = [FIRST_LOOK, performance.now()]
    while (!(await this.#parts.chain.state(agreement, signal)).locked) {
      if ((await this.#parts.chain.time(signal)) > terms.deadline) {
        const detail = `${url} did not send the purchase before its deadline; nothing was or will be paid`
        throw new InsituError(errors.TransactionUnconfirmed, detail)
      }
      await sleep(pause, signal)
      pause = Math.min(LONGEST_LOOK, pause * 1.5)
      if (performance.now() - asked < ASK_AGAIN) continue
      asked = performance.now()
      await ask().catch(ignoreAbsence)
    }
  }
}

/** A refusal ends the waiting, an absent gateway does not. */
function ignoreAbsence(error: unknown): void {
  if (!isInsituError(error) || !['PeerUnavailable', 'ChainUnavailable'].includes(error.code)) throw error
}

/**
 * Return once the provider has granted an agreement.
 *
 * @throws InsituError `AgreementRefused` if the money went back, `AgreementNotGranted` if it is too late for a grant
 */
export async function waitForGrant(
  chain: AgreementChain,
  agreement: string,
  terms: Terms,
  signal?: AbortSignal,
): Promise<void> {
  for (let pause = FIRST_LOOK; ; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
    const state = await chain.state(agreement, signal)
    if (state.refunded) {
      throw new InsituError(errors.AgreementRefused, `the payment of ${agreement} was returned to ${terms.consumer}`)
    }
    if (state.granted) return
    if (!state.locked) throw new InsituError(errors.AgreementUnknown, `the chain has no paid agreement ${agreement}`)
    if ((await chain.time(signal)) >= state.start + terms.grantTimeout) {
      const detail = `the provider did not grant ${agreement} in time; the payment can be refunded`
      throw new InsituError(errors.AgreementNotGranted, detail)
    }
    await sleep(pause, signal)
  }
}
