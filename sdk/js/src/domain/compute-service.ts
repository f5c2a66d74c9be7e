import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { type AgreementTimes, agreementTimes } from './agreement-times.js'
import { conditionName } from './conditions.js'
import { policy } from './policy.js'
import { type Service, sha256Of, templateOf } from './service.js'
import {
  documentAmount,
  integer,
  list,
  object,
  optional,
  type Read,
  type Reader,
  readAs,
  record,
  text,
  withDefault,
} from './shape.js'

/** Reads a quantity: text, or a bare number in older documents. */
export const quantity: Reader<string> = (value, place) => text(Number.isInteger(value) ? String(value) : value, place)

/** Reads a container image: its name, a tag for people, and the digest of its manifest for machines. */
export const container = /* @__PURE__ */ (() =>
  object({ image: optional(text), tag: optional(text), checksum: optional(text) }))()

const SERVER = /* @__PURE__ */ (() =>
  object(
    {
      serverId: optional(text),
      serverType: optional(text),
      price: withDefault(documentAmount, 0n),
      cpu: withDefault(quantity, '1'),
      gpu: withDefault(quantity, '0'),
      memory: withDefault(quantity, '1gb'),
      disk: withDefault(quantity, '1gb'),
      /** Seconds, for all stages together. */
      maxExecutionTime: withDefault(integer(Number.MIN_SAFE_INTEGER), 0),
    },
    { serverId: 'containerId', serverType: 'typeContainer' },
  ))()

const EVENTS = /* @__PURE__ */ (() => {
  const handler = object({ moduleName: optional(text), functionName: optional(text), version: optional(text) })
  return list(object({ name: optional(text), actorType: optional(text), handler: optional(handler) }))
})()

const TEMPLATE = /* @__PURE__ */ (() => {
  const number = integer(Number.MIN_SAFE_INTEGER)
  const condition = object({
    name: optional(text),
    timelock: withDefault(number, 0),
    timeout: withDefault(number, 0),
    contractName: optional(text),
    functionName: optional(text),
    parameters: withDefault(list(object({ name: optional(text), type: optional(text) })), []),
    events: withDefault(EVENTS, []),
    conditionKey: optional(text),
  })
  return object({
    contractName: optional(text),
    contractAddress: optional(text),
    chainId: optional(number),
    events: withDefault(EVENTS, []),
    fulfillmentOrder: withDefault(list(text), []),
    fulfillmentOperator: optional(number),
    conditionDependency: optional(record(list(text))),
    conditions: withDefault(list(condition), []),
  })
})()

/** Reads `main` of a compute service. */
export const computeMain = /* @__PURE__ */ (() => {
  const environment = object({
    cluster: optional(object({ type: optional(text), url: optional(text) })),
    supportedContainers: withDefault(list(container), []),
    supportedServers: withDefault(list(SERVER), []),
  })
  const none = { cluster: undefined, supportedContainers: [], supportedServers: [] }
  const provider = object({
    type: optional(text),
    description: optional(text),
    environment: withDefault(environment, none),
  })
  return object({
    name: optional(text),
    creator: optional(text),
    datePublished: optional(text),
    /** Base units of the token. */
    price: withDefault(documentAmount, 0n),
    /** Seconds in which executions may start. */
    timeout: withDefault(integer(Number.MIN_SAFE_INTEGER), 0),
    provider: withDefault(provider, { type: undefined, description: undefined, environment: none }),
    serviceAgreementTemplate: optional(TEMPLATE),
    policy: withDefault(policy, readAs(policy, {})),
  })
})()

/** A container image. */
export type Container = Read<typeof container>

/** A server that an execution may run on. */
export type Server = Read<typeof SERVER>

/** `serviceAgreementTemplate`: what an agreement on the service consists of. */
export type Template = Read<typeof TEMPLATE>

/** `main` of a compute service: who computes, in which containers, on which servers, at what price and rules. */
export type ComputeService = Read<typeof computeMain>

/** Read `main` of a compute service. Throws `InvalidDocument` with a pointer. */
export function readComputeMain(main: Service['main'], pointer = ''): ComputeService {
  return readAs(computeMain, main, pointer)
}

/**
 * Read a service of type compute, with the agreement template from older places too.
 *
 * @param pointer - where the service is in its document
 * @throws InsituError `ServiceNotFound` if it is of another type, `InvalidDocument` with a pointer
 */
export function readComputeService(entry: Service, pointer = ''): ComputeService {
  if (entry.type !== 'compute') {
    throw new InsituError(errors.ServiceNotFound, `service ${entry.index} is of type ${entry.type}, not compute`)
  }
  return readComputeMain(completeMain(entry), `${pointer}/attributes/main`)
}

/** Return `main` of a compute service with the agreement template, which older documents have elsewhere. */
export function completeMain(entry: Service): Service['main'] {
  const template = templateOf(entry)
  return template ? { serviceAgreementTemplate: template, ...entry.main } : entry.main
}

/** Return the servers on offer. */
export function serversOf(offered: ComputeService): readonly Server[] {
  return offered.provider.environment.supportedServers
}

/** Return the times of an agreement on a service, in seconds. Throws what `agreementTimes` throws. */
export function timesOf(offered: ComputeService): AgreementTimes {
  const longest = Math.max(0, ...serversOf(offered).map(server => server.maxExecutionTime))
  const conditions = offered.serviceAgreementTemplate?.conditions ?? []
  return agreementTimes(
    offered.timeout,
    conditions.map(one => ({ ...one, name: conditionName(one.name ?? '') })),
    longest,
  )
}

/** Return `sha256:` and the digits of a container's manifest, or undefined if its checksum is no SHA-256. */
export function digestOf(image: Container): string | undefined {
  const digits = sha256Of(image.checksum)
  return digits === undefined ? undefined : `sha256:${digits}`
}
