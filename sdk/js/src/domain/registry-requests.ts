import { fromHex, type Hex, plainDigits } from './bytes.js'
import { type Did, didOfHex, hashDid } from './did.js'
import type { Address } from './ids.js'
import { members, signingDomain, type TypedData, typedDataDigest } from './typed-data.js'

/** An asset to register: the DID derives from seed and creator. */
export interface RegistrationItem {
  readonly seed: Hex
  /** On-chain checksum of the document. */
  readonly checksum: Hex
  /** The accounts besides the creator that may provide it. */
  readonly providers: readonly Address[]
  /** Where the document is, at most 2048 bytes. */
  readonly url: string
}

/** A new version of an asset's document; `version` is the present one plus one. */
export interface UpdateItem {
  readonly did: Hex
  readonly checksum: Hex
  readonly url: string
  readonly version: number
}

/** One of the requests to the registry that an owner signs and anybody may send. Deadlines are seconds since 1970. */
export type RegistryRequest =
  | { readonly registrations: Batch<'creator', RegistrationItem> }
  | { readonly updates: Batch<'owner', UpdateItem> }
  | { readonly transfer: Change & { readonly newOwner: Address } }
  | { readonly providerChange: Change & { readonly provider: Address; readonly allowed: boolean } }

type Batch<Account extends string, Item> = { readonly [name in Account]: Address } & {
  readonly items: readonly Item[]
  readonly deadline: number
}

interface Change {
  readonly did: Hex
  /** The registry's count of owners and providers changed so far. */
  readonly changes: number
  readonly deadline: number
}

/** A signed request as it is sent to a gateway, and as the proof of documents that are pending. */
export type SignedRequest = RegistryRequest & {
  readonly chainId: number
  readonly registry: Address
  readonly signature: Hex
}

const TYPES = /* @__PURE__ */ (() => ({
  Registration: members('bytes32 didSeed,bytes32 checksum,address[] providers,string url'),
  Registrations: members('address creator,Registration[] items,uint256 deadline'),
  Update: members('bytes32 did,bytes32 checksum,string url,uint256 version'),
  Updates: members('address owner,Update[] items,uint256 deadline'),
  Transfer: members('bytes32 did,address newOwner,uint256 changes,uint256 deadline'),
  ProviderChange: members('bytes32 did,address provider,bool allowed,uint256 changes,uint256 deadline'),
}))()

/** Return a request as typed data: what the owner's wallet shows and signs. */
export function requestTypedData(request: RegistryRequest, chainId: number, registry: Address): TypedData {
  const domain = signingDomain('DIDRegistry', chainId, registry)
  if ('registrations' in request) {
    const { creator, items, deadline } = request.registrations
    const message = { creator, items: items.map(({ seed, ...item }) => ({ didSeed: seed, ...item })), deadline }
    const types = { Registrations: TYPES.Registrations, Registration: TYPES.Registration }
    return { domain, types, primaryType: 'Registrations', message }
  }
  if ('updates' in request) {
    const types = { Updates: TYPES.Updates, Update: TYPES.Update }
    return { domain, types, primaryType: 'Updates', message: { ...request.updates } }
  }
  if ('transfer' in request) {
    return { domain, types: { Transfer: TYPES.Transfer }, primaryType: 'Transfer', message: { ...request.transfer } }
  }
  const types = { ProviderChange: TYPES.ProviderChange }
  return { domain, types, primaryType: 'ProviderChange', message: { ...request.providerChange } }
}

/** Return the 32 bytes that a signed request is about. */
export function requestDigest(request: SignedRequest): Uint8Array {
  return typedDataDigest(requestTypedData(request, request.chainId, request.registry))
}

/** Return the assets that a request concerns, in its order. */
export function requestDids(request: RegistryRequest): Did[] {
  if ('registrations' in request) {
    const { creator, items } = request.registrations
    return items.map(item => hashDid(fromHex(item.seed), creator))
  }
  if ('updates' in request) return request.updates.items.map(item => didOfHex(item.did))
  return [didOfHex(('transfer' in request ? request.transfer : request.providerChange).did)]
}

/** Return the versions that a request registers: DID and checksum, 64 hexadecimal digits. */
export function requestVersions(request: RegistryRequest): (readonly [Did, string])[] {
  const dids = requestDids(request)
  if ('registrations' in request) return pair(dids, request.registrations.items)
  return 'updates' in request ? pair(dids, request.updates.items) : []
}

function pair(dids: readonly Did[], items: readonly { readonly checksum: Hex }[]): (readonly [Did, string])[] {
  return dids.map((did, at) => [did, plainDigits(items[at]?.checksum ?? '')] as const)
}
