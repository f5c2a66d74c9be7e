import * as errors from '../api/errors.gen.js'
import type { components } from '../api/gateway.gen.js'
import { isObject, type Json } from '../domain/canonical.js'
import { readJson } from '../domain/json-text.js'
import {
  anyObject,
  list,
  matching,
  object,
  optional,
  type Reader,
  text,
  wireAmount,
  withDefault,
} from '../domain/shape.js'
import { InsituError } from '../errors.js'
import type { CallControl } from './account.js'
import { follow } from './event-follower.js'
import type { GatewayClient } from './gateway.js'

type Schemas = components['schemas']

/**
 * Where an execution stands, and why: `phase` says it in a word, `role` who the caller is in it, and `actions` what the
 * gateway would allow the caller now. `charge` is in base units.
 */
export type ExecutionView = Omit<Schemas['ExecutionView'], 'charge'> & { readonly charge?: bigint | undefined }

/** What a gateway remembers of an agreement that was bought there, in base units; the chain decides. */
export type AgreementView = Omit<Schemas['AgreementView'], 'price' | 'charged' | 'returned'> & {
  readonly price: bigint
  readonly charged: bigint
  readonly returned: bigint
}

/** What happened to an execution. */
export type EventView = Schemas['EventView']

/** Which part of a list is wanted. */
export interface PageOptions extends CallControl {
  /** Those that go on, or those that have ended; otherwise both. */
  readonly live?: boolean | undefined
  /** DID of a data set that they read. */
  readonly reading?: string | undefined
  /** `before` of the page before, to go on behind it. */
  readonly before?: string | undefined
  /** The most on a page, 1 to 100. */
  readonly limit?: number | undefined
  /** Address of the gateway that is asked; by default the one that the client is connected to. */
  readonly gateway?: string | undefined
}

/** Which executions are wanted. */
export interface ExecutionsOptions extends PageOptions {
  /** Those of one agreement, at the gateway where it is used. */
  readonly agreement?: string | undefined
  /** What the account started, or what reads a data set that it owns; otherwise all that it may see. */
  readonly role?: 'consumer' | 'owner' | undefined
}

/** Executions, newest first. With `before` there are more. */
export interface ExecutionPage {
  readonly executions: readonly ExecutionView[]
  readonly before: string | undefined
}

/** Agreements, newest first. With `before` there are more. */
export interface AgreementPage {
  readonly agreements: readonly AgreementView[]
  readonly before: string | undefined
}

/** How the events of all executions are followed. */
export interface EventsOptions extends CallControl {
  /** Go on behind this id of an earlier stream; `0` is the beginning. Otherwise it begins with what happens next. */
  readonly after?: string | undefined
  /** Address of the gateway that is asked; by default the one that the client is connected to. */
  readonly gateway?: string | undefined
}

/** What a stream of all executions brings: first where it begins, then what happens. Give `id` as `after` to go on. */
export type HappenedAnywhere =
  | { readonly kind: 'begin'; readonly id: string | undefined }
  | { readonly kind: 'event'; readonly id: string | undefined; readonly event: EventView }

const EXECUTION = /* @__PURE__ */ (() =>
  object({
    serviceAgreementId: matching(/^[0-9a-f]{64}$/, 'the id of an agreement'),
    workflowExecutionId: matching(/^wx[a-z2-7]{26}$/, 'the id of an execution'),
    phase: text,
    role: withDefault(text, 'consumer'),
    actions: withDefault(list(text), []),
    history: withDefault(list(anyObject), []),
    stages: withDefault(list(anyObject), []),
    charge: optional(wireAmount),
  }))()

const AGREEMENT = /* @__PURE__ */ (() =>
  object({
    serviceAgreementId: matching(/^[0-9a-f]{64}$/, 'the id of an agreement'),
    ...{ status: text, price: wireAmount, charged: wireAmount, returned: wireAmount },
  }))()

/** Reads where an execution stands; what pages do not build on stays as it came. */
export const executionView: Reader<ExecutionView> = (value, place) =>
  ({ ...anyObject(value, place), ...EXECUTION(value, place) }) as unknown as ExecutionView

const agreementView: Reader<AgreementView> = (value, place) =>
  ({ ...anyObject(value, place), ...AGREEMENT(value, place) }) as unknown as AgreementView

const EXECUTIONS = /* @__PURE__ */ (() => object({ executions: list(executionView), before: optional(text) }))()
const AGREEMENTS = /* @__PURE__ */ (() => object({ agreements: list(agreementView), before: optional(text) }))()

/** List executions. Throws what the gateway refuses with. */
export async function executionsAt(
  gateway: GatewayClient,
  { agreement, role, ...options }: ExecutionsOptions,
): Promise<ExecutionPage> {
  const more = { serviceAgreementId: agreement, role }
  return gateway.call(EXECUTIONS, 'GET', '/compute/executions', asked(options, more))
}

/** List what was bought at a gateway. Throws what it refuses with. */
export async function agreementsAt(gateway: GatewayClient, options: PageOptions): Promise<AgreementPage> {
  return gateway.call(AGREEMENTS, 'GET', '/agreements', asked(options))
}

/** Yield what happens to all executions that the account may see. Throws like `Execution.stream`. */
export async function* eventsAt(
  gateway: GatewayClient,
  options: EventsOptions,
): AsyncGenerator<HappenedAnywhere, void, undefined> {
  for await (const { event, data, id } of serverEvents(gateway, '/compute/events', options)) {
    if (event === 'begin') yield { kind: 'begin', id }
    else if (event === 'execution') yield { kind: 'event', id, event: readEvent(data) as unknown as EventView }
  }
}

/** Follow a stream of the gateway, together with other pages if they share it. */
export function serverEvents(gateway: GatewayClient, path: string, options: EventsOptions) {
  const { after, signal } = options
  if (gateway.sharing === undefined) return followAlone(gateway, path, options)
  const alone = (behind: string | undefined, turn: AbortSignal) =>
    followAlone(gateway, path, { ...options, after: behind, signal: turn })
  const name = `${gateway.session.account.address} ${path}`
  return gateway.sharing.follow({ server: gateway.url, name, after, alone }, signal)
}

/** Follow a stream by a connection, with a fresh token where the one before has expired. */
function followAlone(gateway: GatewayClient, path: string, options: EventsOptions) {
  let [token, refused] = ['', '']
  const connect = async (lastEventId: string | undefined, freshToken: boolean) => {
    refused = freshToken ? token : ''
    const opened = await gateway.events(path, lastEventId, refused || undefined, options)
    token = opened.token
    return opened.body
  }
  return follow(connect, options)
}

/** Read the data of an event. */
export function readEvent(data: string): { readonly [name: string]: Json } {
  const value = readJson(data)
  if (isObject(value)) return value
  throw new InsituError(errors.PeerUnavailable, 'the gateway sent an event that is no object')
}

function asked({ live, reading, before, limit, signal, onProgress }: PageOptions, more = {}) {
  return { params: { live: live?.toString(), reading, before, limit, ...more }, signal, onProgress }
}
