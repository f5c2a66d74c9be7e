import { utf8 } from './bytes.js'

const MAX_COMPONENT_BYTES = 255
const MAX_PATH_BYTES = 1024
const MAX_DEPTH = 32

/**
 * Ranges of code points that Unicode 14 does not assign and a later version does or may. Nobody refuses by its own Unicode
 * what another accepts: names are refused as by Unicode 14, that of Python 3.11.
 */
const LATER =
  '88f 892-897 c5b-c5c cd7-cdc cf3-cff ece-ecf 1acf-1aff 1b4d-1b4f 1b7f 1c89-1c8f 20c1-20cf 2427-243f ' +
  '2b96 2ffc-2fff 31e4-31ef a7cb-a7cf a7d2 a7d4 a7da-a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce 101fe-1027f ' +
  '105bd-105ff 10940-1097f 10d3a-10e5f 10eb2-10eff 1123f-1127f 11375-113ff 114da-1157f 116ca-116ff ' +
  '11747-117ff 11af9-11bff 11daa-11edf 11ef9-11faf 1239a-123ff 12544-12f8f 1342f 13439-143ff ' +
  '14647-167ff 16b90-16e3f 16e9b-16eff 16ff2-16fff 187f8-187ff 18cd6-18cff 18d09-1afef 1b123-1b14f ' +
  '1b153-1b163 1b2fc-1bbff 1bca4-1ceff 1d246-1d2df 1d379-1d3ff 1dab0-1deff 1df1f-1dfff 1e02b-1e0ff ' +
  '1e150-1e28f 1e300-1e7df 1e960-1ec70 1ed3e-1edff 1eef2-1efff 1f266-1f2ff 1f6d8-1f6dc 1f774-1f77f ' +
  '1f7d9-1f7df 1f8b2-1f8ff 1fa54-1fa5f 1fa75-1fa77 1fa87-1fa8f 1faad-1faaf 1fabb-1fabf 1fac6-1facf ' +
  '1fada-1fadf 1fae8-1faef 1faf7-1faff 1fbcb-1fbef 1fbfa-1ffff 2b739-2b73f 2cea2-2ceaf 2ebe1-2f7ff ' +
  '2fa1e-2ffff 3134b-e0000 e0080-e00ff e01f0-effff '

const ODD = /* @__PURE__ */ (() =>
  new RegExp(`(?! )[\\p{C}\\p{Z}${LATER.replace(/[0-9a-f]+/g, '\\u{$&}').replaceAll(' ', '')}]`, 'u'))()

const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9])\s*(?:\..*)?$/i
const SHORT_NAME = /^[^.]{1,6}~[0-9]{1,6}(?:\.[^.]{0,3})?$/
const ODD_CHARACTERS = ':*?"<>|'

/**
 * Return what is wrong with a relative path that a stranger chose, as the end of a sentence, or undefined if it is safe:
 * it means the same file on every system, and nothing else.
 */
export function pathProblem(path: string): string | undefined {
  const components = path.split('/')
  if (components.length > MAX_DEPTH) return `is deeper than ${MAX_DEPTH} folders`
  for (const component of components) {
    const problem = componentProblem(component)
    if (problem !== undefined) return problem
  }
  return utf8(path).length <= MAX_PATH_BYTES ? undefined : `is longer than ${MAX_PATH_BYTES} bytes`
}

function componentProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return "has an empty, '.' or '..' part"
  if (/[/\\]/.test(name)) return 'has a slash or backslash'
  if (ODD.test(name)) return 'has control, formatting, unassigned or odd blank characters'
  if (name !== name.trim() || name.endsWith('.')) return 'begins or ends with a blank, or ends with a dot'
  return utf8(name).length <= MAX_COMPONENT_BYTES ? undefined : `is longer than ${MAX_COMPONENT_BYTES} bytes`
}

/** Return whether a component that an algorithm wrote is left out, because it is hidden or a tool obeys it. */
export function isLeftOut(name: string): boolean {
  return name.normalize('NFKC').startsWith('.')
}

/** Return what is wrong with a component that a consumer will store, as the end of a sentence, or undefined. */
export function deliveryProblem(name: string): string | undefined {
  const problem = componentProblem(name)
  if (problem !== undefined) return problem
  const plain = name.normalize('NFKC')
  if (DEVICE.test(plain)) return 'is the name of a device on some systems'
  if ('~-='.includes(plain.charAt(0))) {
    return "begins with '~', '-' or '=', which a program may take for an option or a formula"
  }
  if (Array.from(plain).some(character => ODD_CHARACTERS.includes(character))) {
    return `has a character that some systems cannot store: one of ${Array.from(ODD_CHARACTERS).join(' ')}`
  }
  // A system with short names would open GIT~1 as .git.
  return SHORT_NAME.test(plain) ? 'is the short name of another file on some systems' : undefined
}

/**
 * Return the first two paths that are the same file on some system, or undefined: they are equal except for case or
 * Unicode form, or one is a file that is also the other's folder.
 */
export function firstCollision(paths: Iterable<string>): readonly [string, string] | undefined {
  const files = new Map<string, string>()
  const folders = new Map<string, string>()
  for (const path of paths) {
    const key = foldCase(path.normalize('NFKC'))
    const other = files.get(key) ?? folders.get(key)
    if (other !== undefined) return [other, path]
    files.set(key, path)
    const components = key.split('/')
    for (let depth = 1; depth < components.length; depth += 1) {
      const folder = components.slice(0, depth).join('/')
      const file = files.get(folder)
      if (file !== undefined) return [file, path]
      if (!folders.has(folder)) folders.set(folder, path)
    }
  }
  return undefined
}

/** Fold case character by character: a whole word would depend on where its letters stand (the final sigma). */
function foldCase(text: string): string {
  const dotless = '\u0131'
  return Array.from(text, character => {
    return character === dotless ? character : lower(lower(character).toUpperCase())
  }).join('')
}

function lower(text: string): string {
  return Array.from(text, character => character.toLowerCase()).join('')
}

/** Return the bytes that leave with a file: its content and its path in UTF-8, because a name can carry data too. */
export function deliveredBytes(path: string, size: number): number {
  return size + utf8(path).length
}
