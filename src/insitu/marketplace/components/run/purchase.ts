/** Publishing, buying and starting: what is signed is compared with what was shown, before each prompt. */
import { type AccountClient, type Execution, InsituError, isInsituError, type Progress, type Verdict } from 'insitu'
import { isObject, type Parameters, sameAddress, type TypedData } from 'insitu/domain'
import { type Begun, forget, purchaseOf, remember } from './memory.js'
import { digestOfPlan, type Plan, workflowMain } from './plan.js'

/** A verdict that allows. */
export type Allowed = Extract<Verdict, { readonly allowed: true }>

/** What the person saw when they pressed the button. */
export interface Shown {
  readonly plan: Plan
  readonly verdict: Allowed
  readonly parameters: Parameters
}

/** How the page hears of each step. */
export interface Steps {
  progress(progress: Progress): void
  /** It is bought, and the execution is asked for. */
  starts(): void
  signal: AbortSignal
}

/** Errors after which the money of a purchase is back, or was never taken: the next one needs another seed. */
const OVER = ['AgreementRefused', 'AgreementNotGranted', 'TransactionUnconfirmed']

/** Return whether this purchase is on chain already, from before the page was loaded again. */
export async function isBought(client: AccountClient, begun: Begun, signal: AbortSignal): Promise<boolean> {
  if (!begun.isBegun) return false
  return (await client.parts.chain.termsOfSeed(client.account, `0x${begun.seed}`, signal)) !== undefined
}

/**
 * Publish what is not published, buy, and start the first execution. Repeating it goes on where it stopped.
 *
 * @throws InsituError `TermsMismatch` if the wallet would be asked for something else than was shown; what publishing,
 * buying and starting throw
 */
export async function signAndRun(client: AccountClient, shown: Shown, steps: Steps): Promise<Execution> {
  const digest = digestOfPlan(shown.plan, client.account)
  const begun = purchaseOf(digest)
  remember(digest, begun)
  const onProgress = (progress: Progress) => {
    requireShown(progress, shown, client)
    steps.progress(progress)
  }
  const control = { onProgress, signal: steps.signal }
  try {
    await client.parts.trust(steps.signal)
    const earlier = await isBought(client, begun, steps.signal)
    await client.session().headers(control)
    const workflow = earlier ? '' : (shown.plan.workflowDid ?? (await publish(client, shown.plan, control)))
    const limit = shown.verdict.cost.total
    const { id } = await client.buy(workflow, { ...control, seed: begun.seed, maxPrice: limit })
    const { parameters } = shown
    steps.starts()
    const some = Object.keys(parameters).length > 0 ? { parameters } : {}
    const execution = await client.execute(id, { ...control, ...some, idempotencyKey: begun.key })
    forget(digest)
    return execution
  } catch (error) {
    if (isInsituError(error) && OVER.includes(error.code)) forget(digest)
    throw error
  }
}

/** Publish the workflow, and the algorithm if it is new, with one signature. Return the workflow's DID. */
async function publish(client: AccountClient, plan: Plan, control: Pick<Steps, 'signal'>): Promise<string> {
  const { Publisher } = await import('insitu/publish')
  const publisher = new Publisher(client)
  const algorithm =
    plan.algorithm && (await publisher.prepareAlgorithm(plan.algorithm.attributes, plan.algorithm.contents, control))
  const pinned = algorithm && { did: algorithm.did, checksum: algorithm.checksum }
  const workflow = await publisher.prepare(workflowMain(plan, pinned, client.account), [], control)
  await publisher.registerAll(algorithm ? [algorithm, workflow] : [workflow], control)
  return workflow.did
}

/** Refuse to ask the wallet for anything that the person has not seen. */
function requireShown({ step, asks }: Progress, { verdict, plan }: Shown, client: AccountClient): void {
  if (step === 'permit' || step === 'terms' || step === 'publication') {
    if (!isObject(asks as never)) throw notShown(step)
    const { message } = asks as TypedData
    if (step === 'permit') requirePermit(message, verdict, client)
    else if (step === 'terms') requireTerms(message, verdict, client)
    else requireRegistrations(message, verdict, plan, client)
  }
}

type Message = TypedData['message']

function requirePermit({ owner, spender, value }: Message, { cost }: Allowed, client: AccountClient): void {
  requireEqual('permit', [owner, spender, value], [client.account, client.contracts.template, cost.total])
}

function requireTerms(message: Message, { quote, cost }: Allowed, client: AccountClient): void {
  const { did, inputsHash, consumer, provider, serviceIndex, amounts, receivers } = message
  const { grantTimeout, timeout, settleTimeout } = message
  const shownDid = `0x${quote.did.slice(-64)}`
  const inputs = `0x${quote.inputsHash.replace(/^0x/, '')}`
  requireEqual(
    'terms',
    [did, inputsHash, consumer, provider, serviceIndex, amounts, receivers, grantTimeout, timeout, settleTimeout],
    [
      ...[shownDid, inputs, client.account, quote.provider, quote.serviceIndex, cost.amounts, cost.receivers],
      ...[quote.grantTimeout, quote.timeout, quote.settleTimeout],
    ],
  )
}

function requireRegistrations(message: Message, { quote }: Allowed, plan: Plan, client: AccountClient): void {
  const { creator, items } = message as { readonly creator: unknown; readonly items: readonly Message[] }
  const most = plan.algorithm ? 2 : 1
  const others = items
    .flatMap(item => item['providers'] as readonly string[])
    .filter(one => !sameAddress(one, quote.provider))
  requireEqual('publication', [creator, items.length <= most, others.length], [client.account, true, 0])
}

function requireEqual(step: string, asked: readonly unknown[], shown: readonly unknown[]): void {
  if (written(asked) !== written(shown)) throw notShown(step)
}

function written(value: readonly unknown[]): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? member.toString() : member,
  ).toLowerCase()
}

function notShown(step: string): InsituError {
  return new InsituError('TermsMismatch', `the wallet would be asked for another ${step} than was shown`, {
    ...{
      kind: 'Conflict',
      nextStep: 'Nothing was signed. Look at the price and the rules again: they may have changed.',
    },
  })
}
