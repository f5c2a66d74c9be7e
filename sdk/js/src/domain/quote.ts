import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { type AgreementTimes, jointTimes } from './agreement-times.js'
import { type ComputeService, type Server, serversOf, timesOf } from './compute-service.js'
import { type Address, sameAddress } from './ids.js'
import { MAX_AMOUNT } from './money.js'
import { parseBytes, parseCores, parseCount } from './units.js'
import { type Need, needOf, orderedStages, type Workflow } from './workflow.js'

/** The most accounts that the contract pays for one agreement. */
const MOST_RECEIVERS = 8

/** An input of a workflow: its data set, the compute service that is bought, and who owns the DID on chain. */
export interface OfferedInput {
  readonly did: string
  readonly service: ComputeService
  readonly owner: Address
}

/** What a purchase costs, computed from documents alone. Amounts are base units. */
export interface ExpectedCost {
  readonly server: Server
  /** Equal accounts merged, zeros left out, the gateway first: it gets the rest of a rounded charge. */
  readonly amounts: readonly bigint[]
  readonly receivers: readonly Address[]
  readonly total: bigint
  readonly times: AgreementTimes
}

/**
 * Return what a workflow costs, on which server, who is paid, and in which times (C1). A gateway's quote is trusted only
 * if it says the same.
 *
 * @param inputs - every data set of the workflow once, in its order
 * @param provider - the gateway's account, which is paid for the server
 * @throws InsituError `ServerAmbiguous`, `NoSuitableServer`, `InvalidQuantity`, `SeveralOwnersTooMany`, `InvalidAmount`
 */
export function expectedCost(
  workflow: Workflow,
  inputs: readonly OfferedInput[],
  provider: Address,
  consumer: Address,
): ExpectedCost {
  const server = chooseServer(workflow, inputs)
  const [first, ...others] = inputs.map(input => timesOf(input.service))
  if (first === undefined) throw new InsituError(errors.InvalidDocument, 'the workflow reads no data set')
  const bill: [Address, bigint][] = [[provider, server.price]]
  for (const input of distinct(inputs))
    bill.push([input.owner, sameAddress(input.owner, consumer) ? 0n : input.service.price])
  const merged = new Map<string, [Address, bigint]>()
  for (const [receiver, amount] of bill.filter(([, amount]) => amount > 0n)) {
    const [named, sum] = merged.get(receiver.toLowerCase()) ?? [receiver, 0n]
    merged.set(receiver.toLowerCase(), [named, sum + amount])
  }
  if (merged.size > MOST_RECEIVERS) {
    const detail = `${merged.size} accounts must be paid, but at most ${MOST_RECEIVERS} can`
    throw new InsituError(errors.SeveralOwnersTooMany, detail)
  }
  const paid = [...merged.values()]
  const total = paid.reduce((sum, [, amount]) => sum + amount, 0n)
  if (total > MAX_AMOUNT) throw new InsituError(errors.InvalidAmount, 'the total is beyond 2^128 - 1')
  const receivers = paid.map(([receiver]) => receiver)
  return { server, amounts: paid.map(([, amount]) => amount), receivers, total, times: jointTimes(first, others) }
}

function distinct(inputs: readonly OfferedInput[]): OfferedInput[] {
  return inputs.filter((input, at) => inputs.findIndex(other => other.did === input.did) === at)
}

/**
 * Return the one server of an execution: the `serverId` that the stages name, or the cheapest one that is large enough.
 * It is one of the first input's servers, and all other inputs must offer a server with the same id.
 *
 * @throws InsituError `ServerAmbiguous` if stages name different servers, `NoSuitableServer`, `InvalidQuantity`
 */
export function chooseServer(workflow: Workflow, inputs: readonly Pick<OfferedInput, 'service'>[]): Server {
  const [first, ...others] = inputs.map(input => serversOf(input.service))
  if (first === undefined) {
    throw new InsituError(errors.NoSuitableServer, 'the workflow reads no data set with a compute service')
  }
  const stages = orderedStages(workflow).map(stage => stage.requirements.serverId)
  const named = [...new Set(stages.filter(name => name !== undefined))]
  if (named.length > 1) {
    throw new InsituError(errors.ServerAmbiguous, `the stages name the servers ${named.join(', ')}`.slice(0, 200))
  }
  const common = first.filter(server => others.every(offered => offered.some(one => one.serverId === server.serverId)))
  const wanted = common.filter(server => named.length === 0 || server.serverId === named[0])
  if (wanted.length === 0) {
    throw new InsituError(
      errors.NoSuitableServer,
      `no server ${named[0]?.slice(0, 80) ?? ''} is offered for all inputs`,
    )
  }
  const need = needOf(workflow)
  const [best] = wanted.filter(server => meets(server, need)).sort(bySize)
  if (best === undefined) throw new InsituError(errors.NoSuitableServer, 'no server offers what the stages need')
  return best
}

function sizesOf(server: Server): bigint[] {
  const cores = BigInt(parseCores(server.cpu))
  return [server.price, cores, parseBytes(server.memory), parseBytes(server.disk), BigInt(parseCount(server.gpu))]
}

function meets(server: Server, need: Need): boolean {
  const [, cores = 0n, memory = 0n, disk = 0n, gpus = 0n] = sizesOf(server)
  return cores >= need.millicores && memory >= need.memory && disk >= need.disk && gpus >= need.gpus
}

/** Cheaper before dearer, then smaller before larger; sort() keeps the order of equal ones. */
function bySize(left: Server, right: Server): number {
  const sizes = sizesOf(right)
  for (const [at, size] of sizesOf(left).entries()) {
    const other = sizes[at] ?? 0n
    if (size !== other) return size < other ? -1 : 1
  }
  return 0
}
