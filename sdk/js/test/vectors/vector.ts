import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { isInsituError } from '../../src/errors.js'

/** Where the facts are that every implementation must reproduce; this file is compiled to .test/test/vectors. */
const FOLDER = new URL('../../../../../tests/vectors/', import.meta.url)

/** Something of a vector. The tests say of what form they take it to be. */
// biome-ignore lint/suspicious/noExplicitAny: a vector is whatever its file says
export type Case = any

/** Return the names of all vectors, without `.json`. */
export function vectorNames(): string[] {
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.json'))
  return files.map(name => name.replace('.json', ''))
}

/** Return the text of a vector. */
export function vectorText(name: string): string {
  return readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')
}

/**
 * Return a vector. Its kinds of cases are named, so that a new kind fails the tests until somebody tests it.
 *
 * @param kinds - the names of the file's members; none for a list
 */
export function vector(name: string, ...kinds: readonly string[]): Case {
  const value: Case = JSON.parse(vectorText(name))
  assert.deepEqual(
    Array.isArray(value) ? [] : Object.keys(value).sort(),
    [...kinds].sort(),
    `kinds of cases in ${name}`,
  )
  return value
}

/** Assert that something is refused with a code, and with a pointer if there is one to expect. */
export function refuses(act: () => unknown, code: string, pointer?: string | null): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(isInsituError(error), String(error))
    assert.equal(error.code, code, error.message)
    if (pointer !== undefined) assert.equal(error.pointer ?? null, pointer)
    return true
  })
}

/** Return a value as canonical comparison wants it: bigints as text, undefined members left out. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member)))
}

/** Return a copy of a document after a JSON patch (RFC 6902), in which a value may be `repeated`. */
export function patched(document: Case, patch: readonly Case[]): Case {
  const changed = structuredClone(document)
  for (const { op, path, value, repeated } of patch) {
    const parts: string[] = path.split('/').slice(1)
    const [last = '', ...above] = parts.map(part => part.replaceAll('~1', '/').replaceAll('~0', '~')).reverse()
    const place = above.reverse().reduce((at, part) => at[part], changed)
    const put = repeated === undefined ? structuredClone(value) : times(value, repeated)
    if (!Array.isArray(place)) {
      if (op === 'remove') delete place[last]
      else place[last] = put
    } else if (op === 'replace') place[Number(last)] = put
    else if (op === 'remove') place.splice(Number(last), 1)
    else place.splice(last === '-' ? place.length : Number(last), 0, put)
  }
  return changed
}

function times(value: Case, count: number): Case {
  return typeof value === 'string'
    ? value.repeat(count)
    : Array.from({ length: count }, () => structuredClone(value)).flat()
}
