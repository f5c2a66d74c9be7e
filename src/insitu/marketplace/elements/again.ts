import type { AccountClient, ExecuteOptions } from 'insitu'

/** Start another execution under an agreement, and go to its page. Two clicks start one: the second finds the first. */
export async function startAgain(
  client: AccountClient,
  agreement: string,
  signal: AbortSignal,
  options: ExecuteOptions = {},
): Promise<void> {
  const kept = `insitu.again.${agreement}`
  const idempotencyKey = sessionStorage.getItem(kept) ?? crypto.randomUUID()
  sessionStorage.setItem(kept, idempotencyKey)
  const { agreementId, executionId } = await client.execute(agreement, { ...options, idempotencyKey, signal })
  sessionStorage.removeItem(kept)
  location.assign(`/executions/${agreementId}/${executionId}`)
}
