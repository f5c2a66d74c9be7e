import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { lengthOf, utf8 } from './bytes.js'
import { canonicalJson } from './canonical.js'

/** A member of a stage's configuration, or a parameter of an execution. */
export type Scalar = string | number | boolean

const MAX_ENTRYPOINT = 4096
const MAX_VALUE_BYTES = 8192
/** A file that is started in place of an entrypoint. */
export const ENTRYPOINT_SCRIPT = 'compute-entrypoint.sh'

/**
 * Return the argument vector of a stage, as it is started in the container.
 *
 * @param entrypoint - `main.algorithm.entrypoint`; a file `compute-entrypoint.sh` stands before it
 * @param inputs - how many volumes the stage reads
 * @param configuration - passed on sorted by name, because canonical documents do not keep an order
 * @throws InsituError `InvalidDocument` if there is nothing to start, quotes are not closed, or a name is not allowed
 */
export function argumentVector(
  entrypoint: string,
  fileNames: readonly string[],
  inputs: number,
  configuration: Readonly<Record<string, Scalar>>,
): string[] {
  const command = fileNames.includes(ENTRYPOINT_SCRIPT) ? ['sh', ENTRYPOINT_SCRIPT] : splitEntrypoint(entrypoint)
  if (command.length === 0) {
    throw new InsituError(errors.InvalidDocument, `the algorithm has neither ${ENTRYPOINT_SCRIPT} nor an entrypoint`)
  }
  const volumes = Array.from({ length: inputs }, (_, at) => `--input${at + 1}=/mnt/volume${at + 1}`)
  const passed = Object.entries(configuration)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => {
      const problem = configurationProblem(name, value)
      if (problem !== undefined) throw new InsituError(errors.InvalidDocument, problem)
      return `--${name}=${scalarText(value)}`
    })
  return [...command, ...volumes, '--output=/mnt/output', '--logs=/mnt/logs', ...passed]
}

/**
 * Split an entrypoint into words as a POSIX shell does, without expansion, redirection or a second command.
 *
 * @throws InsituError `InvalidDocument` if a quote is not closed, or it is too long or has a NUL character
 */
export function splitEntrypoint(entrypoint: string): string[] {
  if (entrypoint.includes('\0') || lengthOf(entrypoint) > MAX_ENTRYPOINT) {
    throw new InsituError(
      errors.InvalidDocument,
      `the entrypoint is longer than ${MAX_ENTRYPOINT} or has a NUL character`,
    )
  }
  const words: string[] = []
  let word: string | undefined
  let rest = entrypoint
  while (rest !== '') {
    const [piece = ''] = /^(?:[ \t\r\n]+|[^ \t\r\n'"\\]+|'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S])/.exec(rest) ?? []
    if (piece === '') {
      throw new InsituError(
        errors.InvalidDocument,
        'the entrypoint cannot be split: a quote or an escape is not closed',
      )
    }
    rest = rest.slice(piece.length)
    if (/^[ \t\r\n]/.test(piece)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + unquote(piece)
  }
  return word === undefined ? words : [...words, word]
}

function unquote(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1)
  if (piece.startsWith('"')) return piece.slice(1, -1).replace(/\\(["\\])/g, '$1')
  return piece.replace(/^\\/, '')
}

/** Return what is wrong with a member of a configuration, as a sentence, or undefined if it can be passed on. */
export function configurationProblem(name: string, value: unknown): string | undefined {
  const shown = JSON.stringify(name.slice(0, 80))
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    return `${shown} is not a configuration name: use a letter, then letters, digits, '.', '_' or '-'`
  }
  if (/^(?:input[0-9]*|output|logs)$/i.test(name)) return `the configuration name ${name} is reserved`
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    return `the configuration of ${name} is not a text, number or boolean`
  }
  try {
    const text = scalarText(value)
    if (!text.includes('\0') && utf8(text).length <= MAX_VALUE_BYTES) return undefined
  } catch (error) {
    if (isInsituError(error)) return `the configuration of ${name}: ${error.detail}`
    throw error
  }
  return `the configuration of ${name} is longer than ${MAX_VALUE_BYTES} bytes or has a NUL character`
}

/** Return a value as an argument: text as it is, numbers and flags as JSON writes them. Throws `InvalidDocument`. */
export function scalarText(value: Scalar): string {
  const canonical = new TextDecoder().decode(canonicalJson(value))
  return typeof value === 'string' ? value : canonical
}
