const TEXT_SUFFIXES =
  '.csv .geojson .htm .html .ipynb .json .jsonl .log .md .ndjson .svg .tex .toml .tsv .txt .xml .yaml .yml'.split(' ')

/** Suffixes, and the first bytes that their files may have, one character for each byte. */
const BEGINNINGS: Readonly<Record<string, readonly string[]>> = {
  '.arrow': ['ARROW1'],
  '.bz2': ['BZh'],
  '.db .sqlite': ['SQLite format 3\x00'],
  '.docx .npz .xlsx .zip': ['PK\x03\x04', 'PK\x05\x06'],
  '.feather': ['ARROW1', 'FEA1'],
  '.gif': ['GIF87a', 'GIF89a'],
  '.gz .tgz': ['\x1f\x8b\x08'],
  '.h5 .hdf5': ['\x89HDF\x0d\x0a\x1a\x0a'],
  '.jpeg .jpg': ['\xff\xd8\xff'],
  '.npy': ['\x93NUMPY'],
  '.parquet': ['PAR1'],
  '.pdf': ['%PDF-'],
  '.pickle .pkl': ['\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'],
  '.png': ['\x89PNG\x0d\x0a\x1a\x0a'],
  '.rda .rdata .rds': ['\x1f\x8b\x08', 'BZh', '\xfd7zXZ\x00', 'RDX', 'X\x0a', 'A\x0a'],
  '.tif .tiff': ['II*\x00', 'MM\x00*', 'II+\x00', 'MM\x00+'],
  '.xz': ['\xfd7zXZ\x00'],
  '.zst': ['(\xb5/\xfd'],
}

/** Everything that must be in a file: where, and the bytes. */
type Signature = readonly (readonly [offset: number, bytes: string])[]

/** What is known about the bytes: that they are text, nothing, or one of several beginnings. */
type Kind = 'text' | 'binary' | readonly Signature[]

const MAX_SUFFIX = 255

function signaturesOf(suffix: string): readonly Signature[] | undefined {
  if (suffix === '.tar') return [[[257, 'ustar']]]
  if (suffix === '.webp') {
    return [
      [
        [0, 'RIFF'],
        [8, 'WEBP'],
      ],
    ]
  }
  const row = Object.entries(BEGINNINGS).find(([suffixes]) => suffixes.split(' ').includes(suffix))
  return row?.[1].map(start => [[0, start]])
}

/** Return what is wrong with a type that an owner wants to allow, as a sentence, or undefined if it can be checked. */
export function typeProblem(text: string): string | undefined {
  if (!/^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:=(?:binary|text))?$/.test(text)) {
    return 'a file name suffix such as .csv or .tar.gz is needed, or a declared one such as .dcm=binary'
  }
  const [suffix, declared] = partsOf(text)
  if (isKnown(suffix) !== (declared !== '')) return undefined
  return declared
    ? `the bytes of ${suffix} are known: leave out =${declared}`
    : `the bytes of ${suffix} are not known: write ${suffix}=binary or ${suffix}=text`
}

/** Return what two lists of types both allow, sorted. Of two declarations of a suffix, `text` is the stricter. */
export function commonTypes(first: readonly string[], second: readonly string[]): string[] {
  const left = declarations(first)
  const right = declarations(second)
  const common = new Map<string, string>()
  for (const [mine, theirs] of [
    [left, right],
    [right, left],
  ] as const) {
    for (const [suffix, declared] of mine) {
      const covering = tails(suffix).find(tail => theirs.has(tail))
      if (covering === undefined) continue
      common.set(suffix, strictest(common.get(suffix) ?? '', declared, theirs.get(covering) ?? ''))
    }
  }
  return [...common].map(([suffix, declared]) => (declared ? `${suffix}=${declared}` : suffix)).sort()
}

/**
 * Return whether a file may leave under a list of allowed types: its suffix is listed, and its bytes are what the
 * suffix says. An empty file says no more than its name.
 *
 * @param name - without folders
 */
export function mayLeave(name: string, bytes: Uint8Array, types: readonly string[]): boolean {
  const allowed = declarations(types)
  if (bytes.length === 0 && !name.includes('.') && allowed.size > 0) return true
  const suffix = tails(name.toLowerCase()).find(tail => allowed.has(tail))
  return suffix !== undefined && (bytes.length === 0 || fits(bytes, kindOf(suffix, allowed.get(suffix) ?? '')))
}

function fits(bytes: Uint8Array, kind: Kind): boolean {
  if (kind === 'binary') return true
  if (kind === 'text') return isText(bytes)
  return kind.some(signature => signature.every(([at, start]) => startsAt(bytes, at, start)))
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return false
  }
  return !bytes.includes(0)
}

function startsAt(bytes: Uint8Array, at: number, start: string): boolean {
  return Array.from(start).every((character, offset) => bytes[at + offset] === character.charCodeAt(0))
}

function kindOf(suffix: string, declared: string): Kind {
  const last = suffix.slice(suffix.lastIndexOf('.'))
  // An undeclared suffix comes from an old document, which meant any bytes.
  return signaturesOf(last) ?? (TEXT_SUFFIXES.includes(last) || declared === 'text' ? 'text' : 'binary')
}

function isKnown(suffix: string): boolean {
  const last = suffix.slice(suffix.lastIndexOf('.'))
  return TEXT_SUFFIXES.includes(last) || signaturesOf(last) !== undefined
}

/** Return a type as rules compare it: with its first dot, in lower case; and what it was declared to be. */
function partsOf(text: string): readonly [suffix: string, declared: string] {
  const [suffix = '', declared = ''] = text.toLowerCase().replace(/^\.?/, '.').split('=')
  return [suffix, declared]
}

function declarations(types: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const text of types) {
    const [suffix, declared] = partsOf(text)
    if (suffix.length <= MAX_SUFFIX) found.set(suffix, strictest(found.get(suffix) ?? '', declared))
  }
  return found
}

/** '' < 'binary' < 'text', as their letters happen to stand. */
function strictest(...declared: readonly string[]): string {
  return [...declared].sort().at(-1) ?? ''
}

/** Return the suffixes of a name, the longest first: `.csv.gz` and `.gz` of `a.csv.gz`. */
function tails(name: string): string[] {
  const [, ...parts] = name.split('.')
  return parts.map((_, at) => `.${parts.slice(at).join('.')}`)
}
