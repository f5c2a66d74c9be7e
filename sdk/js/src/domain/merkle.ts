import { concat, digitsOf } from './bytes.js'
import { canonicalJson, sha256 } from './canonical.js'

/** A file as a leaf: its name or path (empty if only its place counts), SHA-256 (64 hexadecimal digits), bytes. */
export interface FileDigest {
  readonly name: string
  readonly sha256: string
  readonly size: number
}

/**
 * Return the Merkle root of a list of files, 64 hexadecimal digits. The tree is that of RFC 6962, and the order counts.
 *
 * @param salt - 32 bytes for inputs, which the provider keeps, so that nobody guesses the data; empty for outputs
 */
export function filesRoot(files: readonly FileDigest[], salt: Uint8Array = new Uint8Array()): string {
  return digitsOf(root(files.map(file => leaf(file, salt))))
}

/** Return the root over published files, sorted by path; anyone with the files can compute it. */
export function outputRoot(files: readonly FileDigest[]): string {
  return filesRoot([...files].sort(byCodePoints))
}

/** UTF-8 sorts like code points, and UTF-16 does not. */
function byCodePoints(left: FileDigest, right: FileDigest): number {
  const [one, other] = [Array.from(left.name), Array.from(right.name)]
  const at = one.findIndex((character, position) => character !== other[position])
  if (at < 0) return one.length - other.length
  return (one[at]?.codePointAt(0) ?? 0) - (other[at]?.codePointAt(0) ?? -1)
}

function leaf(file: FileDigest, salt: Uint8Array): Uint8Array {
  const described = canonicalJson({ name: file.name, sha256: file.sha256, size: String(file.size) })
  return sha256(concat(Uint8Array.of(0), salt, described))
}

function root(leaves: readonly Uint8Array[]): Uint8Array {
  const [first, second] = leaves
  if (first === undefined) return sha256(new Uint8Array())
  if (second === undefined) return first
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1))
  return sha256(concat(Uint8Array.of(1), root(leaves.slice(0, split)), root(leaves.slice(split))))
}
