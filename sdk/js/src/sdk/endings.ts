import * as errors from '../api/errors.gen.js'
import { settlementTypedData, type Terms, totalOf } from '../domain/agreement.js'
import type { Hex } from '../domain/bytes.js'
import { type Call, cancel, refund, settle } from '../domain/calls.js'
import { readEnvelope } from '../domain/dsse.js'
import { type AgreementId, sameAddress } from '../domain/ids.js'
import { requireAll, verifyReceipt } from '../domain/receipt.js'
import { settlementChecks } from '../domain/receipt-opening.js'
import {
  flag,
  integer,
  matching,
  object,
  optional,
  type Read,
  type Reader,
  readAs,
  text,
  wireAmount,
} from '../domain/shape.js'
import { signerOf } from '../domain/signatures.js'
import { typedDataDigest } from '../domain/typed-data.js'
import { InsituError } from '../errors.js'
import { type CallControl, onlySignal } from './account.js'
import type { AgreementState } from './agreement-chain.js'
import type { Agreement, CloseOptions } from './agreement-facts.js'
import type { AgreementParts } from './agreements.js'
import type { ReceiptView } from './execution.js'
import type { GatewayClient } from './gateway.js'
import { carryOut } from './transactions.js'

const HASH = matching<Hex>(/^0x[0-9a-f]{64}$/, '0x and 64 hexadecimal digits')
const SIGNED = /* @__PURE__ */ (() => {
  const settlement = object({ index: integer(), charge: wireAmount, receiptHash: HASH, last: flag })
  return object({ settlement, signature: matching<Hex>(/^0x[0-9a-fA-F]{130}$/, 'a signature of 65 bytes') })
})()
const CLOSING = /* @__PURE__ */ (() =>
  object({ status: text, charge: wireAmount, returned: wireAmount, settlement: optional(SIGNED) }))()

/** What closing an agreement costs and returns, in base units, and where it stands. */
export type Closing = Omit<Read<typeof CLOSING>, 'settlement'>

/** What endings need. */
export interface EndingParts extends Pick<AgreementParts, 'chain' | 'account'> {
  readonly show: (agreement: string, options: { readonly signal?: AbortSignal }) => Promise<Agreement>
  readonly gatewayOf: (agreement: AgreementId, signal?: AbortSignal) => Promise<GatewayClient>
  readonly requireTrusted: (signal?: AbortSignal) => Promise<void>
}

/** Ends agreements: the provider sends what it can, and the account what nobody else would. */
export class Endings {
  readonly #parts: EndingParts

  constructor(parts: EndingParts) {
    this.#parts = parts
  }

  /** See `Agreements.previewClose`. */
  async preview(agreement: string, control: CallControl): Promise<Closing> {
    const found = await this.#parts.show(agreement, onlySignal(control))
    if ((await this.#callAlone(found, control.signal)) !== undefined) return returning('open', found)
    const { settlement: _, ...answer } = await this.#ask('GET', found, {}, control)
    return answer
  }

  /** See `Agreements.close`. */
  async close(agreement: string, { maxCharge = 0n, ...control }: CloseOptions): Promise<Closing> {
    const found = await this.#parts.show(agreement, onlySignal(control))
    const alone = await this.#callAlone(found, control.signal)
    if (alone !== undefined) {
      const message = `Your wallet is asked to send the end of agreement ${found.id}; what is in escrow comes back. It costs gas.`
      await this.#send(found, alone, message, ({ refunded }) => refunded, control)
      return returning('refunded', found)
    }
    const { charge } = await this.#ask('GET', found, {}, control)
    if (charge > maxCharge) {
      throw new InsituError(errors.PriceTooHigh, `closing costs ${charge} base units, the limit is ${maxCharge}`)
    }
    const { settlement, ...answer } = await this.#ask('POST', found, { json: { charge } }, control)
    if (settlement === undefined) return answer
    await this.#sendReturn(found, settlement, control)
    return { ...answer, status: 'closed' }
  }

  /** See `Agreements.refund`. */
  async refund(agreement: string, control: CallControl): Promise<void> {
    const found = await this.#parts.show(agreement, onlySignal(control))
    const { id, terms, state, price } = found
    if (!state.locked || state.refunded || state.closed || state.settled === price) {
      throw new InsituError(errors.ConditionNotInState, `there is no payment of ${id} in escrow`)
    }
    const [deadline, now] = [timeoutOf(terms, state), await this.#parts.chain.time(control.signal)]
    if (now < deadline) {
      const detail = `${id} can be refunded from ${new Date(deadline * 1000).toISOString()} on`
      throw new InsituError(errors.NotTimedOut, detail, { context: { deadline, now } })
    }
    const message = `Your wallet is asked to send the refund of agreement ${id} to ${terms.consumer}. It costs gas.`
    await this.#send(found, refund(terms), message, ({ refunded }) => refunded, control)
  }

  /** See `Agreements.release`. */
  async release(receipt: ReceiptView, control: CallControl): Promise<void> {
    const { chain, show } = this.#parts
    const verified = verifyReceipt(readEnvelope(receipt.envelope))
    if (!receipt.settlement) throw new InsituError(errors.ReceiptRequired, 'this receipt releases no payment')
    const { settlement, signature } = readAs(SIGNED as Reader<Read<typeof SIGNED>>, receipt.settlement as never)
    const found = await show(verified.statement.predicate.agreement.serviceAgreementId, onlySignal(control))
    const { id, terms, state } = found
    requireAll(settlementChecks(verified, { terms, settlement, signature }))
    const isSettled = async () =>
      (await chain.settlement(id, settlement.index, state.start, control.signal)) !== undefined
    if (await isSettled()) {
      throw new InsituError(errors.ExecutionAlreadySettled, `execution ${settlement.index} of ${id} is settled`)
    }
    const message = `Your wallet is asked to release the payment of execution ${settlement.index} of agreement ${id} to its receivers. It costs gas.`
    await this.#carryOut(settle(terms, settlement, signature), message, isSettled, control)
  }

  /** Send a settlement that the provider signed but does not send now, if it returns the whole price. */
  async #sendReturn(found: Agreement, signed: Read<typeof SIGNED>, control: CallControl): Promise<void> {
    const { settlement, signature } = signed
    const { id, terms } = found
    if (settlement.charge !== 0n || !settlement.last) {
      throw new InsituError(errors.AmountMismatch, 'the settlement to send does not return the whole price')
    }
    const digest = typedDataDigest(settlementTypedData(id, settlement, this.#parts.chain.domain))
    if (!sameAddress(signerOf(digest, signature) ?? '', terms.provider)) {
      throw new InsituError(errors.SignatureMismatch, `${terms.provider} did not sign the settlement of ${id}`)
    }
    const message = `Your wallet is asked to send the end of agreement ${id}, because its provider does not; the whole price comes back. It costs gas.`
    await this.#send(found, settle(terms, settlement, signature), message, ({ closed }) => closed, control)
  }

  /** Return the call with which a consumer ends an agreement alone: nothing is locked, or it has timed out. */
  async #callAlone({ terms, state, price }: Agreement, signal?: AbortSignal): Promise<Call | undefined> {
    if (state.refunded || state.closed) return undefined
    if (!state.locked) return cancel(terms)
    const isOver = (await this.#parts.chain.time(signal)) >= timeoutOf(terms, state)
    return isOver && state.settled < price ? refund(terms) : undefined
  }

  async #ask(method: string, { id }: Agreement, given: { readonly json?: unknown }, control: CallControl) {
    const gateway = await this.#parts.gatewayOf(id, control.signal)
    const call = { ...onlySignal(control), onProgress: control.onProgress, ...given, idempotent: true }
    return gateway.call(CLOSING, method, `/agreements/${id}/close`, call)
  }

  async #send(
    { id }: Agreement,
    call: Call,
    message: string,
    holds: (state: AgreementState) => boolean,
    control: CallControl,
  ): Promise<void> {
    const isDone = async () => holds(await this.#parts.chain.state(id, control.signal))
    await this.#carryOut(call, message, isDone, control)
  }

  async #carryOut(call: Call, message: string, isDone: () => Promise<boolean>, control: CallControl): Promise<void> {
    const { chain, account, requireTrusted } = this.#parts
    await requireTrusted(control.signal)
    await carryOut(chain, account, { call, message, isDone }, control)
  }
}

function returning(status: string, { state, terms }: Agreement): Closing {
  return { status, charge: state.settled, returned: state.locked ? totalOf(terms) - state.settled : 0n }
}

/** Return from when on anybody may refund an agreement: too late for a grant, or for a settlement. */
function timeoutOf(terms: Terms, state: AgreementState): number {
  return state.start + (state.granted ? terms.timeout + terms.settleTimeout : terms.grantTimeout)
}
