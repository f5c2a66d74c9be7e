import {
  agreementDomain,
  agreementId,
  type Settlement,
  settlementTypedData,
  type Terms,
  type TermsV1,
} from './agreement.js'
import { digitsOf, fromHex, type Hex } from './bytes.js'
import { canonicalJson, isObject, type Json, plainJson, sha256 } from './canonical.js'
import { sameAddress } from './ids.js'
import { filesRoot } from './merkle.js'
import type { Check, VerifiedReceipt } from './receipt.js'
import { type Predicate, withheld } from './receipt-form.js'
import { integer, list, matching, object, optional, type Read, readAs, text } from './shape.js'
import { recoverAddress } from './signatures.js'
import { typedDataDigest } from './typed-data.js'

const OPENING = /* @__PURE__ */ (() =>
  object({
    inputs: optional(
      list(
        object({
          stage: integer(),
          position: integer(),
          did: text,
          salt: matching(/^[0-9a-f]{64}$/, 'a salt of 64 hexadecimal digits'),
          files: list(object({ name: text, sha256: text })),
        }),
      ),
    ),
    withheld: optional(withheld),
  }))()

/** What a caller may see behind a receipt's hashes: their own inputs, and what is left out if all are theirs. */
export type Opening = Read<typeof OPENING> & { readonly json: Json }

/** Read an opening from JSON, as a gateway sends it. Throws `InvalidDocument` with a pointer. */
export function readOpening(value: unknown): Opening {
  const json = plainJson(value)
  return { ...readAs(OPENING, json), json }
}

/** Return the checks of an opening that comes with a receipt: its files and details are those that it commits to. */
export function openingChecks(predicate: Predicate, opening: Opening): Check[] {
  const checks = (opening.inputs ?? []).map((input): Check => {
    const stage = predicate.stages.find(one => one.index === input.stage)
    const stated = stage?.inputs.find(one => one.position === input.position && one.did === input.did)?.root
    const files = input.files.map(file => ({ ...file, size: 0 }))
    const holds = stated !== undefined && stated === filesRoot(files, fromHex(input.salt))
    return [`the files of ${input.did} are those of stage ${input.stage}`, holds]
  })
  if (opening.withheld === undefined) return checks
  const committed = 'withheld' in predicate ? predicate.withheld : undefined
  const shown = isObject(opening.json) ? opening.json['withheld'] : undefined
  const digest = digitsOf(sha256(canonicalJson(shown)))
  return [
    ...checks,
    ['what was withheld is what the receipt commits to', committed !== undefined && digest === committed],
  ]
}

/** A settlement that anybody may send, because it carries the provider's signature (E10). */
export interface SignedSettlement {
  readonly terms: Terms | TermsV1
  readonly settlement: Settlement
  readonly signature: Hex
}

/**
 * Return the checks of a settlement that comes with a receipt: it pays for this execution, signed by the provider.
 *
 * @throws InsituError `SignatureMismatch` if no key can have made its signature
 */
export function settlementChecks(found: VerifiedReceipt, signed: SignedSettlement): Check[] {
  const { agreement, number, charge } = found.statement.predicate
  const domain = agreementDomain(agreement.chainId, agreement.contract)
  const data = settlementTypedData(agreement.serviceAgreementId, signed.settlement, domain)
  const signer = recoverAddress(typedDataDigest(data), signed.signature)
  const { index, receiptHash, charge: charged } = signed.settlement
  return [
    ['the settlement is for the same agreement', agreementId(signed.terms, domain) === agreement.serviceAgreementId],
    ['the settlement is for this execution', index === number],
    ['the settlement names this receipt', sameAddress(receiptHash, found.receiptHash)],
    ['the settlement charges no more than the receipt', charged <= charge.amount],
    ['the provider signed the settlement', sameAddress(signer, found.signer)],
  ]
}
