import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { type Json, plainJson } from './canonical.js'

/**
 * Read JSON text that every reader understands in the same way (RFC 7493, I-JSON).
 *
 * Of two members with one name some readers take the first and others the last, so one document could say two things.
 *
 * @throws InsituError `InvalidDocument` if the text is not JSON, or has two members with one name, a number that is not
 * finite, a lone surrogate, or more than 64 levels
 */
export function readJson(text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new InsituError(errors.InvalidDocument, 'the text is not JSON', { cause })
  }
  // First, because what follows walks into the value.
  const plain = plainJson(value)
  refuseRepeatedNames(text)
  return plain
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g

/** Walk over text that JSON.parse accepted, with the names of every object that is open. */
function refuseRepeatedNames(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') addName(open.at(-1), last)
    last = token
  }
}

function addName(names: Set<string> | undefined, token: string): void {
  const name: string = JSON.parse(token)
  if (names?.has(name))
    throw new InsituError(errors.InvalidDocument, `an object names the member ${token.slice(0, 80)} twice`)
  names?.add(name)
}
