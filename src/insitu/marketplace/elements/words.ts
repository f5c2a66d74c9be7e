/** Values as text for people, the same as the command line writes them. */
import { type Address, displayAmount } from 'insitu/domain'
import { onOneLine, seenName, visible } from 'insitu/domain/unseen'
import { h } from './dom.js'
import type { Token } from './site.js'

/**
 * Return a stranger's text on one line: what cannot be seen is shown by number.
 *
 * @param most - how many characters are shown
 */
export function plain(text: string, most = 300): string {
  const cut = Array.from(text.slice(0, 2 * most))
  const shown = visible(cut.slice(0, most).join(''))
  return cut.length > most || text.length > 2 * most ? `${shown}…` : shown
}

/** Return a stranger's text with its lines and tabs. */
export function plainLines(text: string): string {
  return visible(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'), '\n\t')
}

/** Return a name that others chose, or `fallback` if it is empty to the eye. */
export function nameOf(text: unknown, fallback = '–'): string {
  return (typeof text === 'string' && seenName(plain(onOneLine(text), 120))) || fallback
}

/** Return base units in the token's unit, exact: `1.5 NVM`. */
export function amount(baseUnits: bigint, token: Token): string {
  return displayAmount(baseUnits, token.decimals, plain(token.symbol, 12))
}

/** Return an amount for a heading: one of many decimals is rounded, and says so; the exact one stands elsewhere. */
export function rounded(baseUnits: bigint, token: Token): string {
  const unit = 10n ** BigInt(Math.max(token.decimals - 4, 0))
  if (baseUnits % (unit / 100n || 1n) === 0n) return amount(baseUnits, token)
  const near = ((baseUnits + unit / 2n) / unit) * unit
  return near === 0n ? `less than ${amount(unit, token)}` : `about ${amount(near, token)}`
}

/** Return a price; one of nothing is said as a word. */
export function price(baseUnits: bigint, token: Token): string {
  return baseUnits === 0n ? 'free' : amount(baseUnits, token)
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

/** Return a whole number for people: `100,000`. */
export function grouped(number: number | bigint): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Return a number of things: `1 file`, `2 files`, `100,000 lines`. */
export function counted(count: number | bigint, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${Number(count) === 1 ? one : many}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Return a moment of about now, in UTC: `1 Dec, 00:58`; seconds since 1970, or a time of RFC 3339. */
export function moment(at: number | string): string {
  return written(at, date => [dayOf(date), date.toISOString().slice(11, 16)]) ?? '–'
}

/** Return a moment in UTC, to the minute or the second, with the reader's own time as its title; given as above. */
export function time(at: number | string, precision: 'minute' | 'second' = 'minute'): HTMLElement {
  const end = precision === 'minute' ? 16 : 19
  const shown = written(at, date => [
    `${dayOf(date)} ${date.getUTCFullYear()}`,
    `${date.toISOString().slice(11, end)} UTC`,
  ])
  if (shown === undefined) return h('span', {}, plain(String(at), 40) || '–')
  const date = dateOf(at)
  return h('time', { datetime: `${date.toISOString().slice(0, 19)}Z`, title: date.toLocaleString() }, shown)
}

function dateOf(at: number | string): Date {
  return new Date(typeof at === 'number' ? at * 1000 : at)
}

function dayOf(date: Date): string {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`
}

function written(at: number | string, parts: (date: Date) => readonly string[]): string | undefined {
  const date = dateOf(at)
  return Number.isNaN(date.getTime()) ? undefined : parts(date).join(', ')
}

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
