/** Text of strangers: what cannot be seen is shown by its number. */

/**
 * Ranges of characters that control, reorder or break text, or have no ink and no shape: with them one name can look like
 * another. The table is fixed, so that every language agrees whatever its version of Unicode. Vectors: `unseen.json`.
 */
const UNSEEN =
  '0-1F 7F-9F AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 2028-202E 2060-206F 2800 3164 D800-F8FF FDD0-FDEF ' +
  'FE00-FE0F FEFF FFA0 FFF0-FFFB FFFE-FFFF 13430-1343F 1BCA0-1BCA3 1D173-1D17A 1FFFE-1FFFF 2FFFE-2FFFF 3FFFE-3FFFF ' +
  '4FFFE-4FFFF 5FFFE-5FFFF 6FFFE-6FFFF 7FFFE-7FFFF 8FFFE-8FFFF 9FFFE-9FFFF AFFFE-AFFFF BFFFE-BFFFF CFFFE-CFFFF ' +
  'DFFFE-E0FFF EFFFE-10FFFF'
/** Of these, what changes how the character before looks or joins; between Latin letters it is only unseen. */
const JOINING = classOf('180B-180D 180F 200C-200D FE00-FE0F E0100-E01EF')
const FOUND = new RegExp(`((?<=[^\\0-\\u05ff${JOINING}])[${JOINING}]|(?<=\\ufe0f)\\u200d)|[${classOf(UNSEEN)}]`, 'gu')
/** Marks on one letter beyond the fourth: they climb over the lines above. */
const MARKS = /(\p{Mn}{4})\p{Mn}+/gu
const NAMED: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function classOf(ranges: string): string {
  return ranges.replace(/[0-9A-F]+/g, '\\u{$&}').replaceAll(' ', '')
}

/** Return text with the numbers of what cannot be seen in its place, except the characters in `keep`. */
export function visible(text: string, keep = ''): string {
  return text
    .replace(MARKS, '$1')
    .replace(FOUND, (found: string, joins?: string) => (joins || keep.includes(found) ? found : numbered(found)))
}

function numbered(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16)
  if (code < 0x100) return NAMED[character] ?? `\\x${digits.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

/** Return text on one line, with single spaces: the same spaces as in Python, whatever a runtime knows. */
export function onOneLine(text: string): string {
  return text.replace(/[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g, ' ').trim()
}

/** Return a name in which something can be seen, or undefined. */
export function seenName(name: string): string | undefined {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(name) ? name : undefined
}
