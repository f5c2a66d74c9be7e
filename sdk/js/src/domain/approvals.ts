import type { Address } from './ids.js'
import { signingDomain, statement, type TypedData } from './typed-data.js'

/**
 * What a consumer and an owner sign about access to a data set, besides purchases. Nobody asks for it yet; the digests
 * are fixed, so that signatures can be kept and judged later. Times are seconds since 1970.
 */
export const APPROVAL_TYPES = {
  ApprovalRequest: 'bytes32 did,address consumer,string purpose,string reference,uint256 deadline',
  Approval: 'bytes32 did,address consumer,bytes32 request,uint256 ends',
  Revocation: 'bytes32 did,bytes32 approval,uint256 since',
  OwnerAction: 'bytes32 did,string action,bytes32 subject,uint256 deadline',
} as const

/** Return one of these statements as typed data. No contract has the domain's name, so it can be sent nowhere. */
export function approvalTypedData(
  kind: keyof typeof APPROVAL_TYPES,
  message: Readonly<Record<string, string | number>>,
  chainId: number,
  registry: Address,
): TypedData {
  return statement(signingDomain('insitu approvals', chainId, registry), kind, APPROVAL_TYPES[kind], message)
}
