/**
 * Documents of previews. They are made as a tree in which every text is text, and written by the browser's own serializer, so
 * there is no template in which a stranger's text could become an element.
 */

import { plain, plainLines } from '../../elements/words.js'

/** An element: its name, its attributes, and what stands in it. */
export type Made = readonly [tag: string, attributes: Readonly<Record<string, string>>, ...children: (Made | string)[]]

const MOST_ROWS = 200
const MOST_COLUMNS = 40
const MOST_LINES = 2000
const LONGEST_CELL = 400
const LONGEST_LINE = 2000

/** Return a whole document as HTML. */
export function documentOf(title: string, kind: 'picture' | 'file', body: readonly (Made | string)[]): string {
  const made = document.implementation.createHTMLDocument(title)
  const style = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')
  if (style !== null) made.head.append(nodeOf(made, ['link', { rel: 'stylesheet', href: style.href }]))
  made.body.className = `preview ${kind}`
  made.body.append(...body.map(part => nodeOf(made, part)))
  return `<!doctype html>${made.documentElement.outerHTML}`
}

function nodeOf(made: Document, part: Made | string): Node {
  if (typeof part === 'string') return made.createTextNode(part)
  const [tag, attributes, ...children] = part
  const element = made.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.map(child => nodeOf(made, child)))
  return element
}

/** Return text as it stands, from its beginning. */
export function textOf(text: string, isCut: boolean): { readonly body: readonly Made[]; readonly note: string } {
  const lines = text.split(/\r\n|\n|\r/)
  const isLong = isCut || lines.length > MOST_LINES
  const shown = lines.slice(0, MOST_LINES).map(line => plainLines(line.slice(0, LONGEST_LINE)))
  return { body: [['pre', {}, shown.join('\n')]], note: isLong ? `the first ${shown.length} lines` : 'as text' }
}

/** Return separated values as a table, from their beginning. */
export function tableOf(
  text: string,
  separator: ',' | '\t',
  isCut: boolean,
): { readonly body: readonly Made[]; readonly note: string } {
  const rows = rowsOf(text, separator, MOST_ROWS + 2)
  const whole = isCut ? rows.slice(0, -1) : rows
  const [head = [], ...others] = whole
  const shown = others.slice(0, MOST_ROWS)
  const cut = (row: readonly string[]) => row.slice(0, MOST_COLUMNS).map(cell => plain(cell, LONGEST_CELL))
  const cells = (row: readonly string[]): Made[] =>
    cut(row).map(cell => ['td', isNumber(cell) ? { class: 'num' } : {}, cell])
  const titles = cut(head).map(
    (cell, at): Made => ['th', { scope: 'col', ...(isNumber(shown[0]?.[at] ?? '') && { class: 'num' }) }, cell],
  )
  const table: Made = [
    'table',
    {},
    ['thead', {}, ['tr', {}, ...titles]],
    ['tbody', {}, ...shown.map((row): Made => ['tr', {}, ...cells(row)])],
  ]
  const isLong = isCut || others.length > MOST_ROWS
  const wide = head.length > MOST_COLUMNS ? ` and ${MOST_COLUMNS} of ${head.length} columns` : ''
  const note = isLong ? `the first ${shown.length} rows${wide}` : `${shown.length} rows${wide}`
  return { body: [table], note }
}

function isNumber(cell: string): boolean {
  return /^-?\d[\d.,]*(?:e[+-]?\d+)?%?$/i.test(cell.trim())
}

/** Read separated values (RFC 4180): quoted cells may have separators and line ends in them. It takes one look at each character. */
export function rowsOf(text: string, separator: ',' | '\t', most: number): string[][] {
  const rows: string[][] = []
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], '', false]
  const end = () => {
    if (row.length > 0 || cell !== '') rows.push([...row, cell])
    row = []
    cell = ''
  }
  for (let at = 0; at < text.length && rows.length < most; at += 1) {
    const character = text.charAt(at)
    const isReopened = !isQuoted && text[at - 1] === '"' && character === '"'
    if (isReopened && cell !== '') cell += '"' // twice within quotes
    if (character === '"' && (isQuoted || isReopened || cell === '')) isQuoted = !isQuoted
    else if (isQuoted || !(character === separator || character === '\n' || character === '\r')) cell += character
    else if (character === separator) cell = endCell(row, cell)
    else if (!(character === '\r' && text[at + 1] === '\n')) end()
  }
  if (rows.length < most) end()
  return rows
}

function endCell(row: string[], cell: string): '' {
  row.push(cell)
  return ''
}
