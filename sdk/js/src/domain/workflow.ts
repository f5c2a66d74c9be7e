import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import type { Json } from './canonical.js'
import { container, quantity } from './compute-service.js'
import { type Ddo, mainOf } from './ddo.js'
import { index, sha256Of } from './service.js'
import { anyObject, integer, list, object, optional, type Read, readAs, text, withDefault } from './shape.js'
import { parseBytes, parseCores, parseCount } from './units.js'

/** The most stages of a workflow, and the most inputs of a stage. */
export const MOST_STAGES = 100

const INPUT = /* @__PURE__ */ (() =>
  object(
    { index: optional(index), id: optional(text), previousStage: optional(index) },
    { previousStage: 'previousIndexStage' },
  ))()

const REQUIREMENTS = /* @__PURE__ */ (() =>
  object({
    serverInstances: optional(integer(Number.MIN_SAFE_INTEGER)),
    serverId: optional(text),
    container: optional(container),
    cpu: optional(quantity),
    gpu: optional(quantity),
    memory: optional(quantity),
    disk: optional(quantity),
  }))()

/** Reads `main.workflow`. */
export const workflow = /* @__PURE__ */ (() => {
  const stage = object({
    index: optional(index),
    stageType: withDefault(text, ''),
    requirements: withDefault(REQUIREMENTS, readAs(REQUIREMENTS, {})),
    input: withDefault(list(INPUT), []),
    transformation: withDefault(object({ id: optional(text), checksum: optional(text) }), {
      id: undefined,
      checksum: undefined,
    }),
    output: withDefault(object({ id: optional(text), metadata: optional(anyObject) }), {
      id: undefined,
      metadata: undefined,
    }),
    configuration: withDefault(anyObject, {}),
  })
  return object({ stages: withDefault(list(stage), []) })
})()

/** `main.workflow`: stages in ascending index, each with inputs, one algorithm, and what it needs. */
export type Workflow = Read<typeof workflow>

/** A stage of a workflow. */
export type Stage = Workflow['stages'][number]

/** One input of a stage: the DID of a data set, or the output of an earlier stage. */
export type StageInput = Stage['input'][number]

/** The largest requirements of all stages. */
export interface Need {
  /** Thousandths of a core. */
  readonly millicores: number
  readonly gpus: number
  readonly memory: bigint
  readonly disk: bigint
}

/** Read a workflow. Throws `TooManyStages`, or `InvalidDocument` with a pointer. */
export function readWorkflow(value: Json, pointer = ''): Workflow {
  const stages = (value as { stages?: Json } | null)?.stages
  if (Array.isArray(stages) && (stages.length > MOST_STAGES || stages.some(hasTooManyInputs))) {
    throw new InsituError(errors.TooManyStages, `at most ${MOST_STAGES} stages, each with ${MOST_STAGES} inputs`)
  }
  return readAs(workflow, value, pointer)
}

function hasTooManyInputs(stage: Json): boolean {
  const inputs = (stage as { input?: Json } | null)?.input
  return Array.isArray(inputs) && inputs.length > MOST_STAGES
}

/** Return the workflow of an asset of type workflow. Throws `InvalidDocument` with a pointer. */
export function workflowOf(ddo: Ddo): Workflow {
  const described = mainOf(ddo)['workflow']
  if (described === undefined || described === null) {
    throw new InsituError(errors.InvalidDocument, `${ddo.id} is not a workflow`, { pointer: '/service' })
  }
  const position = ddo.service.findIndex(entry => entry.type === 'metadata')
  return readWorkflow(described, `/service/${position}/attributes/main/workflow`)
}

/** Return a stage's index; 0 if an old document has none. */
export function numberOf(stage: Stage): number {
  return stage.index ?? 0
}

/** Return the stages in the order in which they run. */
export function orderedStages(workflow: Workflow): Stage[] {
  return [...workflow.stages].sort((left, right) => numberOf(left) - numberOf(right))
}

/** Return the inputs of a stage in the order of their volumes. */
export function orderedInputs(stage: Stage): StageInput[] {
  return [...stage.input].sort((left, right) => (left.index ?? 0) - (right.index ?? 0))
}

/** Return the data sets that a workflow reads, each once, in the order of stages and inputs. */
export function inputDids(workflow: Workflow): string[] {
  const dids = orderedStages(workflow).flatMap(stage => orderedInputs(stage).map(source => source.id))
  return [...new Set(dids.filter(did => did !== undefined))]
}

/** Return the algorithms that a workflow runs, each with the version that it is pinned to, or undefined for the current. */
export function transformationsOf(workflow: Workflow): Map<string, string | undefined> {
  const stages = orderedStages(workflow).map(stage => stage.transformation)
  return new Map(stages.flatMap(({ id, checksum }) => (id === undefined ? [] : [[id, sha256Of(checksum)]])))
}

/** Return the maxima of what the stages need. Throws `InvalidQuantity`. */
export function needOf(workflow: Workflow): Need {
  const wanted = workflow.stages.map(stage => stage.requirements)
  return {
    millicores: Math.max(0, ...wanted.map(one => (one.cpu === undefined ? 0 : parseCores(one.cpu)))),
    gpus: Math.max(0, ...wanted.map(one => (one.gpu === undefined ? 0 : parseCount(one.gpu)))),
    memory: largest(wanted.map(one => one.memory)),
    disk: largest(wanted.map(one => one.disk)),
  }
}

function largest(sizes: readonly (string | undefined)[]): bigint {
  return sizes.reduce((most, size) => {
    const bytes = size === undefined ? 0n : parseBytes(size)
    return bytes > most ? bytes : most
  }, 0n)
}
