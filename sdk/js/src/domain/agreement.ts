import { digitsOf, type Hex } from './bytes.js'
import type { Address, AgreementId } from './ids.js'
import { members, type SigningDomain, signingDomain, type TypedData, typedDataDigest } from './typed-data.js'

/** The struct that the consumer signs, with the names of the contract. */
export const TERMS_MEMBERS = /* @__PURE__ */ members(
  'bytes32 seed,bytes32 did,bytes32 inputsHash,bytes32 workflowId,bytes32 workflowHash,address consumer,' +
    'address provider,uint32 serviceIndex,uint40 deadline,uint32 grantTimeout,uint32 timeout,uint32 settleTimeout,' +
    'uint256[] amounts,address[] receivers',
)
const SETTLEMENT_MEMBERS = /* @__PURE__ */ members(
  'bytes32 agreementId,uint32 index,uint128 charge,bytes32 receiptHash,bool last',
)

/** What the consumer signs and pays for (C2, C3). Times are in seconds, amounts in base units of the token. */
export interface Terms {
  /** The random part of the serviceAgreementId. */
  readonly seed: Hex
  /** The first input of the workflow. */
  readonly did: Hex
  /** Which version of every input is bought; see `inputsHash`. */
  readonly inputsHash: Hex
  readonly workflowId: Hex
  /** On-chain checksum of the workflow's version. */
  readonly workflowHash: Hex
  readonly consumer: Address
  readonly provider: Address
  /** The serviceDefinitionId. */
  readonly serviceIndex: number
  /** Create and lock no later than this time, in seconds since 1970. */
  readonly deadline: number
  readonly grantTimeout: number
  readonly timeout: number
  readonly settleTimeout: number
  /** At most 8; the first receiver gets the rest of a rounded charge. */
  readonly amounts: readonly bigint[]
  readonly receivers: readonly Address[]
}

/** Terms of the contracts before ADR 0115, in receipts of that time: `ddoHash` is the version of the first input alone. */
export type TermsV1 = Omit<Terms, 'inputsHash'> & { readonly ddoHash: Hex }

/** The settlement of one execution (E10). */
export interface Settlement {
  /** The execution's number in the agreement, from 0. */
  readonly index: number
  /** Base units. */
  readonly charge: bigint
  /** Commits to the receipt: `0x` and the SHA-256 of its payload. */
  readonly receiptHash: Hex
  /** Whether it closes the agreement. */
  readonly last: boolean
}

/** Return the signing domain of agreements: one template contract on one chain. */
export function agreementDomain(chainId: number, contract: Address): SigningDomain {
  return signingDomain('ServiceExecutionTemplate', chainId, contract)
}

/** Return the terms as typed data: what the consumer's wallet shows and signs. */
export function termsTypedData(terms: Terms | TermsV1, domain: SigningDomain): TypedData {
  const old = 'ddoHash' in terms
  const struct = TERMS_MEMBERS.map(member =>
    old && member.name === 'inputsHash' ? { ...member, name: 'ddoHash' } : member,
  )
  return { domain, types: { Terms: struct }, primaryType: 'Terms', message: { ...terms } }
}

/** Return the serviceAgreementId: the digest of the terms, 64 hexadecimal digits. */
export function agreementId(terms: Terms | TermsV1, domain: SigningDomain): AgreementId {
  return digitsOf(typedDataDigest(termsTypedData(terms, domain)))
}

/** Return a settlement as typed data: what the provider signs so that anybody may release the payment. */
export function settlementTypedData(agreement: AgreementId, settlement: Settlement, domain: SigningDomain): TypedData {
  const message = { agreementId: `0x${agreement}`, ...settlement }
  return { domain, types: { Settlement: SETTLEMENT_MEMBERS }, primaryType: 'Settlement', message }
}

/** Return the full price of an agreement in base units. */
export function totalOf(terms: Pick<Terms, 'amounts'>): bigint {
  return terms.amounts.reduce((sum, amount) => sum + amount, 0n)
}

/** Return the terms as contract calls take them. */
export function termsTuple(terms: Terms) {
  return TERMS_MEMBERS.map(member => terms[member.name as keyof Terms])
}
