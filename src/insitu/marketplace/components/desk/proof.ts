import { type AccountClient, type ExecutionView, InsituError } from 'insitu'
import { type Predicate, sameAddress } from 'insitu/domain'
import { verified } from '../execution/surroundings.js'
import type { Proof } from './state.js'

/**
 * Return what an ended execution let out and paid. A gateway's list is not asked: the provider's signature is what counts, and
 * it has to be of this execution, with the outcome that the list told.
 */
export async function proofOf(client: AccountClient, listed: ExecutionView, signal: AbortSignal): Promise<Proof> {
  const { serviceAgreementId, workflowExecutionId } = listed
  try {
    const execution = await client.execution(serviceAgreementId, workflowExecutionId, signal)
    const receipt = await execution.receipt({ signal })
    const { receipt: told, predicate } = await verified(client, receipt, { signal })
    if (told.kind === 'broken') return told
    if (told.kind === 'checking' || predicate === undefined) return { kind: 'checking' }
    requireSame(listed, predicate)
    const { output, stages } = predicate
    return {
      kind: told.kind,
      files: output?.files ?? 0,
      bytes: output?.bytes ?? 0,
      logBytes: 'delivered' in predicate ? predicate.delivered.logBytes : 0,
      got: partOf(client.account, predicate),
      algorithms: stages.map(({ algorithm }) => ({ did: algorithm.did, checksum: algorithm.checksum })),
      receipt,
    }
  } catch (error) {
    signal.throwIfAborted()
    return { kind: 'broken', error }
  }
}

function requireSame(listed: ExecutionView, { agreement, workflowExecutionId, outcome }: Predicate): void {
  if (agreement.serviceAgreementId !== listed.serviceAgreementId || workflowExecutionId !== listed.workflowExecutionId)
    throw lie('the gateway gave the receipt of another execution')
  if (outcome !== listed.phase) throw lie(`the gateway lists it as ${listed.phase}, and its receipt says ${outcome}`)
}

function lie(detail: string): InsituError {
  const nextStep = 'Do not rely on this row; keep the receipt, and ask the provider.'
  return new InsituError('ReceiptInvalid', detail, { nextStep })
}

/** Return an account's part of what an execution was charged. */
function partOf(account: string, { charge, agreement: { terms } }: Predicate): bigint {
  const total = terms.amounts.reduce((sum, amount) => sum + amount, 0n)
  const own = terms.amounts.reduce(
    (sum, amount, at) => sum + (sameAddress(account, terms.receivers[at] ?? '') ? amount : 0n),
    0n,
  )
  return total === 0n ? 0n : (own * charge.amount) / total
}
