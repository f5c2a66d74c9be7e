import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { configurationProblem, type Scalar } from './algorithm.js'
import { canonicalJson } from './canonical.js'
import { chooseServer, type OfferedInput } from './quote.js'
import { inputDids, numberOf, orderedInputs, type Stage, type Workflow } from './workflow.js'

const MAX_PARAMETER_BYTES = 4096

/** Index of a stage as text → name → value. */
export type Parameters = Readonly<Record<string, Readonly<Record<string, Scalar>>>>

/**
 * Refuse another version of a bought workflow that would use something else than what was bought (ADR 0124): the data
 * sets in another order, other inputs of a stage, or another server.
 *
 * @param offers - the bought services of all inputs, in the workflow's order
 * @throws InsituError `RevisionChangesPurchase` with a pointer into the document's `main`; `NoSuitableServer`
 */
export function requireSamePurchase(
  bought: Workflow,
  revised: Workflow,
  offers: readonly Pick<OfferedInput, 'service'>[],
): void {
  const missing = new Map(bought.stages.map(stage => [numberOf(stage), stage]))
  revised.stages.forEach((stage, position) => {
    const pointer = `/workflow/stages/${position}`
    const was = missing.get(numberOf(stage))
    missing.delete(numberOf(stage))
    if (was === undefined) throw refusal(`stage ${numberOf(stage)} was not bought`, pointer)
    if (readsOf(stage) !== readsOf(was)) {
      throw refusal(`stage ${numberOf(stage)} reads something else than the bought version`, `${pointer}/input`)
    }
  })
  if (missing.size > 0) throw refusal(`stage ${Math.min(...missing.keys())} is missing`, '/workflow/stages')
  if (inputDids(revised).join() !== inputDids(bought).join()) {
    throw refusal('the data sets are read in another order', '/workflow/stages')
  }
  const [wanted, paid] = [chooseServer(revised, offers).serverId, chooseServer(bought, offers).serverId]
  if (wanted !== paid) throw refusal(`it needs the server ${wanted}, and ${paid} was bought`, '/workflow/stages')
}

/**
 * Refuse parameters that a data owner does not allow or that cannot be passed to the algorithm.
 *
 * @param allowed - names that the owners of all inputs allow
 * @throws InsituError `InvalidRequest` with a pointer into the request; `ParameterNotAllowed`
 */
export function requireParameters(workflow: Workflow, given: Parameters, allowed: readonly string[]): void {
  const stages = new Set(workflow.stages.map(stage => String(numberOf(stage))))
  for (const [stage, values] of Object.entries(given)) {
    if (!stages.has(stage))
      throw invalid(`the workflow has no stage ${JSON.stringify(stage.slice(0, 20))}`, '/parameters')
    for (const [name, value] of Object.entries(values)) {
      const problem = configurationProblem(name, value)
      if (problem !== undefined) throw invalid(problem, `/parameters/${stage}`)
      if (allowed.includes(name)) continue
      const names = [...allowed].sort().join(', ') || 'none'
      const detail = `an execution may not set ${name}; the owners of the data allow: ${names}`
      throw new InsituError(errors.ParameterNotAllowed, detail, { pointer: `/parameters/${stage}/${name}` })
    }
  }
  if (canonicalJson(given).length > MAX_PARAMETER_BYTES) {
    throw invalid(`the parameters are longer than ${MAX_PARAMETER_BYTES} bytes`, '/parameters')
  }
}

function readsOf(stage: Stage): string {
  const inputs = orderedInputs(stage).map(source => [
    source.index ?? 0,
    source.id ?? null,
    source.previousStage ?? null,
  ])
  return JSON.stringify(inputs)
}

function refusal(detail: string, pointer: string): InsituError {
  return new InsituError(errors.RevisionChangesPurchase, detail, { pointer })
}

function invalid(detail: string, pointer: string): InsituError {
  return new InsituError(errors.InvalidRequest, detail, { pointer })
}
