import type { AccountClient, VerifyOptions } from 'insitu'
import {
  chooseServer,
  computeServiceOf,
  type Ddo,
  effectivePolicy,
  inputDids,
  isObject,
  mainOf,
  type Predicate,
  readComputeService,
  transformationsOf,
  workflowOf,
} from 'insitu/domain'
import { nameOf } from '../../elements/words.js'
import type { Receipt, Rules, Surroundings } from './state.js'

/** Read the documents around an execution, proved by the chain: what stays, the rules, and the server. */
export async function surroundingsOf(
  client: AccountClient,
  workflowDid: string,
  signal: AbortSignal,
): Promise<Surroundings> {
  const workflow = workflowOf(await client.assets.resolve(workflowDid, { signal }))
  const dids = inputDids(workflow)
  const documents = await Promise.all(dids.map(did => client.assets.resolve(did, { signal })))
  const services = documents.map(ddo => ({ service: readComputeService(computeServiceOf(ddo)) }))
  const policies = services.flatMap(({ service: { policy } }, at) => (policy ? [{ did: dids[at] ?? '', policy }] : []))
  const { maxBytes, maxFiles, types } = effectivePolicy(policies)
  const server = chooseServer(workflow, services)
  const gpus = server.gpu === '0' ? '' : `, ${server.gpu} GPU`
  return {
    data: documents.map((ddo, at) => ({
      did: dids[at] ?? '',
      name: nameOf(mainOf(ddo)['name'], dids[at]),
      bytes: bytesOf(ddo),
    })),
    rules: { maxBytes, maxFiles, types },
    algorithms: [...transformationsOf(workflow).keys()],
    longest: server.maxExecutionTime || undefined,
    server: `${server.serverId ?? 'server'}: ${server.cpu} ${server.cpu === '1' ? 'core' : 'cores'}, ${server.memory}${gpus}`,
  }
}

/** Return the size of an asset's files, if the document states it for each of them. */
function bytesOf(ddo: Ddo): number | undefined {
  const { files } = mainOf(ddo)
  if (!Array.isArray(files)) return undefined
  const sizes = files.map(file => (isObject(file) ? Number(file['contentLength'] ?? Number.NaN) : Number.NaN))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return Number.isSafeInteger(total) ? total : undefined
}

/** Verify a receipt in this page, and compare it with the chain as far as the chain has it. */
export async function verified(
  client: AccountClient,
  receipt: object,
  options: VerifyOptions,
): Promise<{ readonly receipt: Receipt; readonly rules?: Rules; readonly predicate?: Predicate }> {
  const { readEnvelope, verifyReceipt } = await import('insitu/verify')
  try {
    const offline = verifyReceipt(readEnvelope('envelope' in receipt ? receipt.envelope : receipt))
    const { predicate } = offline.statement
    const { charge, policy } = predicate
    const { maxBytes, maxFiles, types } = policy.output
    const waits: Receipt = { kind: 'waits', checked: offline.checked, rule: charge.rule }
    const found = await client
      .verify(receipt, options)
      .catch(error => (isWaiting(error) ? undefined : Promise.reject(error)))
    const told: Receipt = found === undefined ? waits : { kind: 'holds', checked: found.checked, rule: charge.rule }
    return { receipt: told, rules: { maxBytes, maxFiles, types }, predicate }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { receipt: { kind: 'broken', error } }
  }
}

/** Hand a receipt to the page that verifies receipts offline; it stays in this tab. */
export function openReceipt(receipt: object): void {
  sessionStorage.setItem('insitu.receipt', JSON.stringify(receipt))
  location.assign('/receipts')
}

function isWaiting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ReceiptNotCommitted'
}
