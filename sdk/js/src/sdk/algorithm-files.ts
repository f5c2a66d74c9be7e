import * as errors from '../api/errors.gen.js'
import { digitsOf } from '../domain/bytes.js'
import { canonicalJson, sha256 } from '../domain/canonical.js'
import { mediaType } from '../domain/media-types.js'
import { InsituError } from '../errors.js'

/** Files of an algorithm: each name, which may have folders, with its bytes. */
export type Contents = Readonly<Record<string, Uint8Array>>

const INTERPRETERS: Readonly<Record<string, string>> = {
  ...{ '.py': 'python3', '.sh': 'sh', '.r': 'Rscript', '.js': 'node' },
  ...{ '.java': 'java', '.jar': 'java -jar' },
}

/** Return `main.files` of an algorithm from names and bytes of its files. */
export function describeContents(contents: Contents) {
  const named = Object.entries(contents).sort(([one], [other]) => (one < other ? -1 : 1))
  return named.map(([name, content], index) => ({
    ...{ index, name, contentType: mediaType(name), contentLength: String(content.length) },
    ...{ checksum: digitsOf(sha256(content)), checksumType: 'sha256' },
  }))
}

/** Return the hash of names and contents for a version of this DID, whose list of files hides the names. */
export function digestOfContents(did: string, contents: Contents): string {
  const digests = Object.entries(contents).map(([name, content]) => [name, digitsOf(sha256(content))])
  return digitsOf(sha256(canonicalJson([did, Object.fromEntries(digests)])))
}

/**
 * Return how an algorithm of one script is started; undefined if it has a `compute-entrypoint.sh`.
 *
 * @throws InsituError `EntrypointMissing` if the publisher must name it
 */
export function entrypointOf(contents: Contents): string | undefined {
  const names = Object.keys(contents)
  if (names.includes('compute-entrypoint.sh')) return undefined
  const [name = ''] = names
  const interpreter = INTERPRETERS[/\.[^./]*$/.exec(name)?.[0].toLowerCase() ?? '']
  if (names.length === 1 && interpreter) return `${interpreter} ${quoted(name)}`
  throw new InsituError(errors.EntrypointMissing, 'name how the algorithm is started, such as python3 count.py')
}

/** Quote a word for a POSIX shell, if it needs that. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`
}
