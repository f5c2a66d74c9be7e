import type { AccountClient, AgreementView } from 'insitu'
import { byAgreement, namesOf } from '../../elements/account-lists.js'
import type { Bought } from './state.js'

/** States in which nobody can know yet when the money comes back but from the terms. */
const UNSETTLED = ['created', 'sent', 'declined', 'expired']

/** Put together what is known around agreements: names, executions, and when the price can be taken back. */
export async function boughtOf(
  client: AccountClient,
  agreements: readonly AgreementView[],
  signal: AbortSignal,
): Promise<readonly Bought[]> {
  const only = agreements.length === 1 ? agreements[0] : undefined
  const dids = agreements.map(({ workflowDid }) => workflowDid)
  const [names, page] = await Promise.all([
    namesOf(client, dids, signal).catch(() => new Map<string, string>()),
    client.executions({ agreement: only?.serviceAgreementId, role: 'consumer', limit: 100, signal }),
  ])
  const executions = byAgreement(page.executions)
  return Promise.all(
    agreements.map(async agreement => {
      const { serviceAgreementId: id, workflowDid } = agreement
      const refundFrom = UNSETTLED.includes(agreement.status) ? await refundOf(client, id, signal) : undefined
      return { agreement, name: names.get(workflowDid), executions: executions.get(id) ?? [], refundFrom }
    }),
  )
}

/** Return when the price can be taken back if nobody does anything, in seconds; undefined if the chain does not say. */
async function refundOf(client: AccountClient, id: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { state, terms } = await client.agreements.show(id, { signal })
    return state.start + (state.granted ? terms.timeout + terms.settleTimeout : terms.grantTimeout)
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}
