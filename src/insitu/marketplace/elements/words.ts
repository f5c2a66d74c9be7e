/** Values as text for people, the same as the command line writes them. */
import { type Address, displayAmount } from 'insitu/domain'
import { h } from './dom.js'
import type { Token } from './site.js'

/** Marks that change the direction of text, break lines, or cannot be seen: with them a name can look like another. */
const UNSEEN = /[\p{Cc}\p{Cs}\u200b-\u200f\u061c\u00ad\u2028\u2029\ufeff\u202a-\u202e\u2060-\u2069]/gu

/**
 * Return a stranger's text on one line: what cannot be seen is shown by number.
 *
 * @param most - how many characters are shown
 */
export function plain(text: string, most = 300): string {
  const cut = Array.from(text.slice(0, 2 * most))
  const shown = cut.slice(0, most).join('').replace(UNSEEN, numbered)
  return cut.length > most || text.length > 2 * most ? `${shown}…` : shown
}

/** Return a stranger's text with its lines and tabs. */
export function plainLines(text: string): string {
  const unified = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
  return unified.replace(UNSEEN, character => (/[\n\t]/.test(character) ? character : numbered(character)))
}

function numbered(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** Return a name that others chose, or `fallback` if it is empty. */
export function nameOf(text: unknown, fallback = '–'): string {
  return (typeof text === 'string' ? plain(text, 200).trim() : '') || fallback
}

/** Return base units in the token's unit, exact: `1.5 NVM`. */
export function amount(baseUnits: bigint, token: Token): string {
  return displayAmount(baseUnits, token.decimals, plain(token.symbol, 12))
}

/** Return a price; nothing to pay is said as a word. */
export function price(baseUnits: bigint, token: Token): string {
  return baseUnits === 0n ? 'nothing' : amount(baseUnits, token)
}

/** Return a length of time in at most two units: `850 ms`, `12 s`, `3 min 20 s`, `24 h`, `5 days`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.max(Math.round(seconds * 1000), 0)} ms`
  const whole = Math.round(seconds)
  if (whole < 60) return seconds < 10 && whole !== seconds ? `${seconds.toFixed(1)} s` : `${whole} s`
  if (whole < 3600) return inTwo(whole, 60, 'min', 's')
  if (whole < 2 * 86400) return inTwo(Math.floor(whole / 60), 60, 'h', 'min')
  return `${Math.floor(whole / 86400)} days`
}

function inTwo(value: number, factor: number, large: string, small: string): string {
  const [whole, rest] = [Math.floor(value / factor), value % factor]
  return rest ? `${whole} ${large} ${rest} ${small}` : `${whole} ${large}`
}

/** Return a number of bytes in powers of 1000: `12.3 MB`. */
export function bytes(count: number | bigint): string {
  if (count < 1000) return `${count} B`
  let value = Number(count)
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    value /= 1000
    if (value < 999.95) return `${value.toFixed(1)} ${unit}`
  }
  return `${(value / 1000).toFixed(1)} PB`
}

/** Return a number of things: `1 file`, `2 files`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/**
 * Return a moment in UTC, with the reader's own time as its title.
 *
 * @param moment - seconds since 1970, or a time of RFC 3339
 */
export function time(moment: number | string): HTMLElement {
  const at = new Date(typeof moment === 'number' ? moment * 1000 : moment)
  if (Number.isNaN(at.getTime())) return h('span', {}, plain(String(moment), 40))
  const exact = `${at.toISOString().slice(0, 19)}Z`
  const shown = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${exact.slice(11, 16)} UTC`
  return h('time', { datetime: exact, title: at.toLocaleString() }, shown)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Return an id or a digest: whole in the document, the middle hidden by the stylesheet, selected by one click. */
export function id(text: string): HTMLElement {
  return inTwoParts('id', plain(text, 200), 6)
}

/** Return the address of an account or contract, as {@link id} does. */
export function address(account: Address | string): HTMLElement {
  return inTwoParts('id a', plain(account, 60), 4)
}

function inTwoParts(kind: string, text: string, last: number): HTMLElement {
  return h('code', { class: kind }, h('span', {}, text.slice(0, -last)), h('span', {}, text.slice(-last)))
}

/** Return an address for where there is no room for all of it, such as the name of a button. */
export function shortAddress(account: Address | string): string {
  return `${account.slice(0, 6)}…${account.slice(-4)}`
}
