import * as errors from '../api/errors.gen.js'
import { type ComputeService, readComputeService } from '../domain/compute-service.js'
import { computeServiceOf } from '../domain/ddo.js'
import { type Address, readAddress, sameAddress } from '../domain/ids.js'
import { type ExpectedCost, expectedCost } from '../domain/quote.js'
import { type Quote, readQuote, verifyQuote } from '../domain/quote-verification.js'
import type { Service } from '../domain/service.js'
import { flag, list, object, optional, type Read, type Reader, text, withDefault } from '../domain/shape.js'
import { requireAllowedChange } from '../domain/versions.js'
import { inputDids, type Workflow, workflowOf } from '../domain/workflow.js'
import { InsituError } from '../errors.js'
import type { AgreementChain } from './agreement-chain.js'
import { registeredVersions } from './registered-versions.js'
import type { ResolvedAsset, Resolver } from './resolver.js'

/** A workflow that somebody wants to run, and its inputs in order, as the registry and their documents have them. */
export interface WantedWorkflow {
  /** Undefined for a workflow that is not published. */
  readonly asset: ResolvedAsset | undefined
  readonly workflow: Workflow
  readonly inputs: readonly WantedInput[]
}

/** An input according to its current document. */
export interface WantedInput {
  readonly asset: ResolvedAsset
  readonly entry: Service
  readonly service: ComputeService
}

/** How a gateway names a workflow without a DID. */
const UNPUBLISHED = { did: '', checksum: '' }

/** Reads whether a gateway allows something, and why not. */
export const gatewayVerdict = /* @__PURE__ */ (() => {
  const reason = object({ code: text, did: optional(text), message: text })
  return object({ allowed: flag, reasons: withDefault(list(reason), []) })
})()

/** Reads what a gateway answers when it is asked whether a workflow may run. */
export const gatewayAnswer: Reader<GatewayAnswer> = (value, place) => {
  const { allowed, reasons } = gatewayVerdict(value, place)
  return { allowed, reasons, quote: allowed ? readQuote(value ?? null) : undefined }
}

/** What a gateway answers; nothing of it is verified. */
export interface GatewayAnswer {
  readonly allowed: boolean
  readonly reasons: readonly VerdictReason[]
  readonly quote: Quote | undefined
}

/** Why a workflow may not run: an error code, the asset that says so, and a sentence. */
export type VerdictReason = Read<typeof gatewayVerdict>['reasons'][number]

/** A verdict: what the workflow costs, which was recomputed from the documents here, or why it may not run. */
export type Verdict =
  | { readonly allowed: true; readonly reasons: readonly []; readonly quote: Quote; readonly cost: ExpectedCost }
  | { readonly allowed: false; readonly reasons: readonly VerdictReason[] }

/**
 * Resolve a workflow and its inputs.
 *
 * @param serviceIndex - of the first input's compute service; its only one if it is left out
 * @throws InsituError `TemplateNotApproved` if a service is not sold with the template that is trusted, what resolving
 * throws, `VersionNotAllowed`, `NoComputeService`, `InvalidDocument`
 */
export async function readWanted(
  resolver: Resolver,
  chain: AgreementChain,
  workflowDid: string,
  serviceIndex: number | undefined,
  signal?: AbortSignal,
): Promise<WantedWorkflow> {
  const asset = await resolveAllowed(resolver, chain, workflowDid, signal)
  return { ...(await readPlanned(resolver, chain, workflowOf(asset.ddo), serviceIndex, signal)), asset }
}

/** Resolve the inputs of a workflow that is not published. Throws like `readWanted`. */
export async function readPlanned(
  resolver: Resolver,
  chain: AgreementChain,
  workflow: Workflow,
  serviceIndex: number | undefined,
  signal?: AbortSignal,
): Promise<WantedWorkflow> {
  const dids = inputDids(workflow)
  if (dids.length === 0) throw new InsituError(errors.InvalidDocument, 'the workflow reads no data set')
  const inputs: WantedInput[] = []
  for (const [at, did] of dids.entries()) {
    const found = await resolveAllowed(resolver, chain, did, signal)
    const entry = computeServiceOf(found.ddo, at === 0 ? serviceIndex : undefined)
    const { template } = chain.contracts
    if (!sameAddress(entry.templateId ?? '', template)) {
      const detail = `${did} is sold with the template ${entry.templateId}, and ${template} is trusted`
      throw new InsituError(errors.TemplateNotApproved, detail)
    }
    inputs.push({ asset: found, entry, service: readComputeService(entry) })
  }
  return { asset: undefined, workflow, inputs }
}

/** Resolve an asset, and refuse one that breaks a rule, or changes more of the version before than a version may. */
async function resolveAllowed(
  resolver: Resolver,
  chain: AgreementChain,
  did: string,
  signal?: AbortSignal,
): Promise<ResolvedAsset> {
  const [found, { validateDdo }] = await Promise.all([
    resolver.resolve(did, signal),
    import('../domain/document-rules.js'),
  ])
  validateDdo(found.ddo)
  for await (const earlier of registeredVersions(resolver.chain, found.record, signal)) {
    if (earlier.version === found.record.version) continue
    const [before] = await resolver.read(earlier, signal)
    requireAllowedChange(before, found.ddo, [chain.contracts.template])
    break
  }
  return found
}

/**
 * Refuse a quote that differs from what the documents and the chain say.
 *
 * @throws InsituError `TermsMismatch` with both sides, `NotDIDProvider`, `ProviderIsContract`, `NoSuitableServer`
 */
export async function judge(
  { quote, reasons }: GatewayAnswer,
  wanted: WantedWorkflow,
  chain: AgreementChain,
  consumer: Address,
  signal?: AbortSignal,
): Promise<Verdict> {
  if (quote === undefined) return { allowed: false, reasons }
  const provider = readAddress(quote.provider)
  for (const { asset } of wanted.inputs) {
    const { did } = asset.record
    if (await chain.isProvider(did, provider, signal)) continue
    throw new InsituError(errors.NotDIDProvider, `${provider} is not a provider of ${did}`)
  }
  if ((await chain.code(provider, signal)) !== '0x') {
    throw new InsituError(errors.ProviderIsContract, `${provider} is the account of a contract`)
  }
  const offers = wanted.inputs.map(({ asset: { record }, service }) => ({ ...record, service }))
  const cost = expectedCost(wanted.workflow, offers, provider, consumer)
  const [first] = wanted.inputs
  const serviceIndex = first?.entry.index ?? -1
  verifyQuote(quote, { workflow: wanted.asset?.record ?? UNPUBLISHED, inputs: offers, serviceIndex, cost })
  return { allowed: true, reasons: [], quote, cost }
}

/** Refuse what may not run, with the code of the first reason. */
export function requireAllowed(verdict: Verdict): asserts verdict is Extract<Verdict, { readonly allowed: true }> {
  if (verdict.allowed) return
  const [first] = verdict.reasons
  throw new InsituError(first?.code ?? 'TermsMismatch', first?.message ?? 'the gateway refused', {
    ...{ kind: 'NotAllowed', context: { reasons: verdict.reasons } },
    nextStep: 'Read the reasons, and ask the owner of the data or change the workflow.',
  })
}
