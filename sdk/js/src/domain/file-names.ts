import { utf8 } from './bytes.js'

const MAX_COMPONENT_BYTES = 255
const MAX_PATH_BYTES = 1024
const MAX_DEPTH = 32

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
  if (/(?! )[\p{C}\p{Z}]/u.test(name)) return 'has control, formatting, unassigned or odd blank characters'
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
