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

const TEMPLATE = /* @__PURE__ */ (() => {
  const seconds = withDefault(integer(Number.MIN_SAFE_INTEGER), 0)
  return object({
    conditions: withDefault(list(object({ name: optional(text), timelock: seconds, timeout: seconds })), []),
  })
})()

const COMPUTE = /* @__PURE__ */ (() => {
  const environment = object({
    supportedContainers: withDefault(list(container), []),
    supportedServers: withDefault(list(SERVER), []),
  })
  const none = { supportedContainers: [], supportedServers: [] }
  return object({
    name: optional(text),
    creator: optional(text),
    /** Base units of the token. */
    price: withDefault(documentAmount, 0n),
    /** Seconds in which executions may start. */
    timeout: withDefault(integer(Number.MIN_SAFE_INTEGER), 0),
    provider: withDefault(object({ environment: withDefault(environment, none) }), { environment: none }),
    serviceAgreementTemplate: optional(TEMPLATE),
    policy: optional(policy),
  })
})()

/** A container image. */
export type Container = Read<typeof container>

/** A server that an execution may run on. */
export type Server = Read<typeof SERVER>

/** The part of a `serviceAgreementTemplate` that decides about times. */
export type Template = Read<typeof TEMPLATE>

/** `main` of a compute service: who computes, in which containers, on which servers, at what price and rules. */
export type ComputeService = Read<typeof COMPUTE>

/** Read `main` of a compute service. Throws `InvalidDocument` with a pointer. */
export function readComputeMain(main: Service['main'], pointer = ''): ComputeService {
  return readAs(COMPUTE, main, pointer)
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
  const template = templateOf(entry)
  const main = template ? { serviceAgreementTemplate: template, ...entry.main } : entry.main
  return readComputeMain(main, `${pointer}/attributes/main`)
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
