import { type Terms, termsTypedData } from './agreement.js'
import { type Hex, toHex } from './bytes.js'
import { type Address, sameAddress } from './ids.js'
import { accountSignature, callSignature, signerOf } from './signatures.js'
import { members, type SigningDomain, type TypedData, typedDataDigest } from './typed-data.js'

/** A signed token allowance (ERC-2612) as it is sent to a gateway. `value` is in base units, `deadline` since 1970. */
export interface SignedPermit {
  readonly value: bigint
  readonly deadline: number
  readonly signature: Hex
}

/** Terms with the consumer's signature, which anybody may send. A price needs a permit, or an allowance. */
export interface SignedPurchase {
  readonly terms: Terms
  readonly signature: Hex
  readonly permit?: SignedPermit | undefined
}

/** A permit as contracts take it; a `deadline` of 0 means that there is none. */
export type PermitTuple = readonly [value: bigint, deadline: bigint, v: number, r: Hex, s: Hex]

/** Stands for a permit where there is none. */
export const NO_PERMIT: PermitTuple = [0n, 0n, 0, `0x${'00'.repeat(32)}`, `0x${'00'.repeat(32)}`]

/**
 * Return an allowance as typed data: what the consumer's wallet shows and signs.
 *
 * @param domain - the token's, with its own name and version
 * @param amount - base units
 * @param nonce - the token's `nonces(owner)`
 * @param deadline - seconds since 1970, at least 1
 */
export function permitTypedData(
  domain: SigningDomain,
  owner: Address,
  spender: Address,
  amount: bigint,
  nonce: bigint,
  deadline: number,
): TypedData {
  const types = { Permit: members('address owner,address spender,uint256 value,uint256 nonce,uint256 deadline') }
  return { domain, types, primaryType: 'Permit', message: { owner, spender, value: amount, nonce, deadline } }
}

/** Return a permit as contracts take it. Throws `SignatureMismatch` if its signature is not that of a key. */
export function permitTuple(permit: SignedPermit): PermitTuple {
  const raw = callSignature(permit.signature)
  return [permit.value, BigInt(permit.deadline), raw[64] ?? 0, toHex(raw.subarray(0, 32)), toHex(raw.subarray(32, 64))]
}

/**
 * Return the consumer's signature of a purchase as the contract takes it: that of a key with v 27 or 28, and whatever a
 * contract account accepts (ERC-1271) as it is, since only the account knows its form.
 *
 * @throws InsituError `SignatureMismatch` if it does not have 65 to 4,096 bytes
 */
export function purchaseSignature({ terms, signature }: SignedPurchase, domain: SigningDomain): Hex {
  const raw = accountSignature(signature)
  const signer = signerOf(typedDataDigest(termsTypedData(terms, domain)), raw)
  return toHex(signer !== undefined && sameAddress(signer, terms.consumer) ? callSignature(raw) : raw)
}

/** Return the JSON of a purchase for the gateway: amounts become text. */
export function purchaseJson(purchase: SignedPurchase) {
  const { terms, signature, permit } = purchase
  return {
    terms: { ...terms, amounts: terms.amounts.map(String) },
    signature,
    ...(permit && { permit: { ...permit, value: permit.value.toString() } }),
  }
}
