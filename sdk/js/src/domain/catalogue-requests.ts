import type { Address } from './ids.js'
import { signingDomain, statement, type TypedData } from './typed-data.js'

/**
 * What an owner, a curator or a gateway signs for one catalogue; at another it is worth nothing (ADR 0142). `catalogue`
 * is its address without the path of the API and without a slash at its end, `deadline` is in seconds since 1970, at most
 * 600 from now. `action` is what the owner wants (`list`, `unlist`, `retire`), or the curator (`hide`, `unhide`,
 * `feature`, `unfeature`).
 */
export const CATALOGUE_TYPES = {
  ListingRequest: 'string catalogue,bytes32 did,string action,uint256 deadline',
  CurationRequest: 'string catalogue,bytes32 did,string action,string reason,uint256 deadline',
  PublicationQuestion: 'string catalogue,address creator,string key,uint256 deadline',
} as const

/** Return one of these requests as typed data. No contract has the domain's name, so it cannot be sent to the chain. */
export function catalogueTypedData(
  kind: keyof typeof CATALOGUE_TYPES,
  message: Readonly<Record<string, string | number>>,
  chainId: number,
  registry: Address,
): TypedData {
  return statement(signingDomain('insitu catalogues', chainId, registry), kind, CATALOGUE_TYPES[kind], message)
}

/** Whether strangers find an asset of which nobody signed anything: data sets, except results. */
export function isListedByDefault(main: Readonly<Record<string, unknown>>): boolean {
  return main.type === 'dataset' && !('compute' in main)
}
