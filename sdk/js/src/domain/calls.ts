import type { AbiFunction } from '../api/abi.gen.js'
import * as abi from '../api/abi.gen.js'
import { type AbiValue, encodeCall } from './abi.js'
import { type Settlement, type Terms, termsTuple } from './agreement.js'
import { type Hex, toHex } from './bytes.js'
import type { Address } from './ids.js'
import { NO_PERMIT, type PermitTuple } from './purchase.js'
import type { RegistryRequest } from './registry-requests.js'

/** A call that changes the ledger, before anybody sends it. The contract's address is the caller's to know. */
export interface Call {
  readonly contract: string
  readonly signature: string
  readonly arguments: readonly AbiValue[]
}

/** Return the data of a call. */
export function callData(call: Call): Hex {
  return toHex(encodeCall(call.signature, call.arguments))
}

/** Register a DID for the caller (P3). */
export function registerAttribute(seed: Hex, checksum: Hex, providers: readonly Address[], url: string): Call {
  return make(abi.registerAttribute, seed, checksum, providers, url)
}

/** Register a result with the caller as creator and the consumer as owner (E9). */
export function registerAttributeFor(
  seed: Hex,
  checksum: Hex,
  providers: readonly Address[],
  url: string,
  owner: Address,
): Call {
  return make(abi.registerAttributeFor, seed, checksum, providers, url, owner)
}

/** Register a new version of a DID's document. The caller must be the owner. */
export function updateAttribute(did: Hex, checksum: Hex, url: string): Call {
  return make(abi.updateAttribute, did, checksum, url)
}

/** Hand a DID to another owner. */
export function transferOwnership(did: Hex, owner: Address): Call {
  return make(abi.transferDIDOwnership, did, owner)
}

/** Create the agreement and lock the payment (C4, C5). Without a signature the caller must be the consumer. */
export function createAndLock(terms: Terms, signature: Hex = '0x', permit: PermitTuple = NO_PERMIT): Call {
  return make(abi.createAgreementAndLock, tuple(terms), signature, permit)
}

/**
 * Create the agreement, lock the payment and grant in one transaction (C4, C5, C7).
 *
 * @param signature - the consumer's; without it the caller must be the consumer
 * @param offer - the provider's signature of the same terms; without it the caller must be the provider
 */
export function createLockGrant(
  terms: Terms,
  signature: Hex = '0x',
  permit: PermitTuple = NO_PERMIT,
  offer: Hex = '0x',
): Call {
  return make(abi.createLockGrant, tuple(terms), signature, permit, offer)
}

/** Grant the execution, as the provider (C7). */
export function grant(terms: Terms): Call {
  return make(abi.fulfillComputeExecutionCondition, tuple(terms), terms.did, terms.consumer)
}

/** Refuse the execution, as the provider; the payment goes back in the same transaction (C7). */
export function refuse(terms: Terms): Call {
  return make(abi.refuse, tuple(terms))
}

/** Release the payment against a receipt (E10). Without a signature the caller must be the provider. */
export function settle(terms: Terms, settlement: Settlement, signature: Hex = '0x'): Call {
  return make(abi.fulfillEscrowReward, tuple(terms), settled(settlement), signature)
}

/** Make many settlements in one transaction (E10). The caller must be the provider of all of them. */
export function settleBatch(items: readonly (readonly [Terms, readonly Settlement[]])[]): Call {
  return make(
    abi.fulfillBatch,
    items.map(([terms, settlements]) => [tuple(terms), settlements.map(settled)]),
  )
}

/** Give up an agreement whose payment is not locked, as its consumer. */
export function cancel(terms: Terms): Call {
  return make(abi.cancel, tuple(terms))
}

/** Send the money of a timed-out agreement back to the consumer. Anybody may call it. */
export function refund(terms: Terms): Call {
  return make(abi.refund, tuple(terms))
}

/** State that an activity used an asset (W3C PROV). */
export function used(statement: Hex, did: Hex, agent: Address, activity: Hex, attributes: string): Call {
  return make(abi.used, statement, did, agent, activity, attributes)
}

/** State that an asset was made from another one (W3C PROV). */
export function wasDerivedFrom(
  statement: Hex,
  newDid: Hex,
  usedDid: Hex,
  agent: Address,
  activity: Hex,
  attributes: string,
): Call {
  return make(abi.wasDerivedFrom, statement, newDid, usedDid, agent, activity, attributes)
}

/** State that an agent took part in an activity on an asset (W3C PROV). */
export function wasAssociatedWith(statement: Hex, did: Hex, agent: Address, activity: Hex, attributes: string): Call {
  return make(abi.wasAssociatedWith, statement, did, agent, activity, attributes)
}

/** Turn a permit into an allowance (ERC-2612). Anybody may call it. */
export function usePermit(owner: Address, spender: Address, permit: PermitTuple): Call {
  return make(abi.permit, owner, spender, ...permit)
}

/** Carry out a request that an owner signed; anybody may send it. */
export function sendRequest(request: RegistryRequest, signature: Hex): Call {
  if ('registrations' in request) {
    const { creator, items, deadline } = request.registrations
    const tuples = items.map(item => [item.seed, item.checksum, item.providers, item.url])
    return make(abi.registerAttributesBySignature, creator, tuples, deadline, signature)
  }
  if ('updates' in request) {
    const { owner, items, deadline } = request.updates
    const tuples = items.map(item => [item.did, item.checksum, item.url, item.version])
    return make(abi.updateAttributesBySignature, owner, tuples, deadline, signature)
  }
  if ('transfer' in request) {
    const { did, newOwner, changes, deadline } = request.transfer
    return make(abi.transferDIDOwnershipBySignature, did, newOwner, changes, deadline, signature)
  }
  const { did, provider, allowed, changes, deadline } = request.providerChange
  return make(abi.setDIDProviderBySignature, did, provider, allowed, changes, deadline, signature)
}

function make(called: AbiFunction, ...values: readonly AbiValue[]): Call {
  return { contract: called.contract, signature: called.signature, arguments: values }
}

function tuple(terms: Terms): readonly AbiValue[] {
  return termsTuple(terms)
}

function settled({ index, charge, receiptHash, last }: Settlement): readonly AbiValue[] {
  return [index, charge, receiptHash, last]
}
