import { configurationProblem } from './algorithm.js'
import { beginning, lengthOf } from './bytes.js'
import type { Json } from './canonical.js'
import { Checker } from './checker.js'
import { type Container, digestOf } from './compute-service.js'
import { isDid } from './did.js'
import { sha256Of } from './service.js'
import {
  inputDids,
  MOST_STAGES,
  needOf,
  numberOf,
  orderedStages,
  type Stage,
  type StageInput,
  transformationsOf,
  type Workflow,
  workflow,
} from './workflow.js'

const LONGEST_STAGE_TYPE = 200
const MOST_CONFIGURATION = 256

/**
 * Read a workflow, and refuse one that cannot be run.
 *
 * @param value - `main.workflow`
 * @param pointer - where it is in its document
 * @param planned - a stage may lack its algorithm's DID, because the algorithm is not published yet
 * @throws InsituError `InvalidDocument`, or the code of the one rule that is broken, with all problems
 */
export function validateWorkflow(value: Json, pointer = '', planned = false): Workflow {
  const checker = new Checker(pointer)
  const read = checker.read(workflow, value)
  if (read !== undefined) checkWorkflow(read, checker, planned)
  checker.throwIfAny()
  return read as Workflow
}

/** Check a workflow. `checker` stands at it. */
export function checkWorkflow(read: Workflow, checker: Checker, planned = false): void {
  const { stages } = read
  const at = checker.at('stages')
  if (!at.require(stages.length > 0, 'Required', 'a workflow needs a stage')) return
  if (!at.require(stages.length <= MOST_STAGES, 'TooManyStages', `at most ${MOST_STAGES} stages`)) return
  const indices = stages.map(stage => stage.index)
  const versions = transformationsOf(read)
  stages.forEach((stage, position) => {
    const here = at.at(position)
    checkIndex(stage.index, indices.slice(0, position), here.at('index'))
    const pinned = sha256Of(stage.transformation.checksum)
    here
      .at('transformation', 'checksum')
      .require(
        versions.get(stage.transformation.id ?? '') === pinned,
        'Contradiction',
        'all stages of a workflow run the same version of an algorithm',
      )
    checkStage(stage, indices, here, planned)
  })
  const named = orderedStages(read).flatMap(stage => stage.requirements.serverId ?? [])
  const servers = [...new Set(named)]
  const shown = beginning(`the stages name the servers ${servers.join(', ')}`, 200)
  at.require(servers.length <= 1, 'ServerAmbiguous', shown)
  at.require(inputDids(read).length > 0, 'Required', 'a workflow reads at least one data set')
}

/** Check that something has an index, and that nothing earlier has it. */
export function checkIndex(
  index: number | undefined,
  earlier: readonly (number | undefined)[],
  checker: Checker,
): void {
  if (checker.require(index !== undefined, 'Required', 'an index is needed')) {
    checker.require(!earlier.includes(index), 'Duplicate', 'this index stands here twice')
  }
}

function checkStage(stage: Stage, indices: readonly (number | undefined)[], checker: Checker, planned: boolean): void {
  const { stageType, input, transformation, output } = stage
  checker.at('stageType').require(lengthOf(stageType) <= LONGEST_STAGE_TYPE, 'TooLong', 'at most 200 characters')
  checkRequirements(stage, checker.at('requirements'))
  const inputs = checker.at('input')
  inputs.require(input.length > 0, 'Required', 'a stage needs an input')
  if (inputs.require(input.length <= MOST_STAGES, 'TooManyStages', `at most ${MOST_STAGES} inputs`)) {
    const positions = input.map(source => source.index)
    input.forEach((source, position) => {
      checkIndex(source.index, positions.slice(0, position), inputs.at(position, 'index'))
      checkInput(source, numberOf(stage), indices, inputs.at(position))
    })
  }
  const isKnown = (planned && transformation.id === undefined) || isDid(transformation.id)
  checker
    .at('transformation', 'id')
    .require(isKnown, 'InvalidDid', "the algorithm's DID is needed: did:nv: and 64 digits")
  const isPinned = transformation.checksum === undefined || sha256Of(transformation.checksum) !== undefined
  checker.at('transformation', 'checksum').require(isPinned, 'WrongFormat', 'the on-chain checksum: 64 hex digits')
  checker
    .at('output', 'id')
    .require(output.id === undefined, 'OutputDidNotSupported', 'every result is a new asset; leave output.id out')
  checkConfiguration(stage, checker.at('configuration'))
}

function checkInput(
  { id, previousStage }: StageInput,
  stage: number,
  indices: readonly (number | undefined)[],
  checker: Checker,
): void {
  const isOne = (id === undefined) !== (previousStage === undefined)
  checker.require(isOne, 'Required', 'an input has either an id or a previousStage')
  const isComplete = id === undefined || isDid(id)
  checker.at('id').require(isComplete, 'InvalidDid', 'did:nv: and 64 lower-case hex digits')
  const isEarlier = previousStage === undefined || (previousStage < stage && indices.includes(previousStage))
  const message = `stage ${stage} reads stage ${previousStage}, which does not run before it`
  checker.at('previousStage').require(isEarlier, 'StageOrder', message)
}

function checkRequirements(stage: Stage, checker: Checker): void {
  const { container, serverInstances } = stage.requirements
  checker
    .at('serverInstances')
    .require((serverInstances ?? 1) === 1, 'ServerInstancesNotSupported', 'a stage runs on one server instance')
  if (container === undefined) checker.at('container').report('Required', 'a stage names its container')
  else checkContainer(container, checker.at('container'))
  checker.attempt(() => needOf({ stages: [stage] }), 'InvalidQuantity')
}

/** Check that an image has a name and the digest of its manifest. */
export function checkContainer(image: Container, checker: Checker): void {
  checker.at('image').require(!!image.image, 'Required', 'the image needs a name')
  const hasDigest = digestOf(image) !== undefined
  checker.at('checksum').require(hasDigest, 'WrongFormat', "sha256: and the 64 hex digits of the manifest's digest")
}

function checkConfiguration({ configuration }: Stage, checker: Checker): void {
  const members = Object.entries(configuration)
  const areFew = members.length <= MOST_CONFIGURATION
  if (!checker.require(areFew, 'TooMany', `at most ${MOST_CONFIGURATION} members`)) return
  for (const [name, value] of members) {
    const problem = configurationProblem(name, value)
    checker.at(beginning(name, 80)).require(problem === undefined, 'WrongValue', problem ?? '')
  }
}
