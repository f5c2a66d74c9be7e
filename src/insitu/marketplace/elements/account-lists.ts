/** What the gateway of a page remembers, looked through as far as somebody needs it. */
import type { AccountClient, AgreementView, EventView, ExecutionView } from 'insitu'

/** Return one agreement of an account; undefined if the gateway does not know it. */
export async function agreementOf(
  { agreements }: AccountClient,
  id: string,
  signal: AbortSignal,
): Promise<AgreementView | undefined> {
  let before: string | undefined
  do {
    const page = await agreements.page({ before, limit: 100, signal })
    const found = page.agreements.find(entry => entry.serviceAgreementId === id)
    if (found !== undefined) return found
    before = page.before
  } while (before !== undefined)
  return undefined
}

/** Return the execution of an event as it is now. */
export async function executionOf(
  client: AccountClient,
  { serviceAgreementId, workflowExecutionId }: EventView,
  signal: AbortSignal,
): Promise<ExecutionView> {
  const execution = await client.execution(serviceAgreementId, workflowExecutionId, signal)
  return execution.status({ signal })
}

/** Return the names of workflows, as the catalogue has them; strangers chose them. */
export async function namesOf(
  { assets }: AccountClient,
  dids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(dids)].slice(0, 100)
  if (wanted.length === 0) return new Map()
  const { summaries } = await assets.summaries(wanted, { signal })
  return new Map(summaries.map(({ did, name }) => [did, name]))
}

/** Return executions by the agreement under which they ran, newest first. */
export function byAgreement(executions: readonly ExecutionView[]): ReadonlyMap<string, readonly ExecutionView[]> {
  const found = new Map<string, ExecutionView[]>()
  for (const execution of executions) {
    const list = found.get(execution.serviceAgreementId) ?? []
    found.set(execution.serviceAgreementId, [...list, execution])
  }
  return found
}
