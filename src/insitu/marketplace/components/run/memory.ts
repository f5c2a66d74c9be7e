/** What a tab remembers of a purchase, so that a second click or another load of the page buys nothing twice. */
import { fromBase64, toBase64, toHex } from 'insitu/domain'
import type { Form } from './plan.js'

/** What makes repeating a purchase harmless; stored before the first prompt. */
export interface Begun {
  /** The random part of the agreement's id. */
  readonly seed: string
  /** Idempotency-Key of the execution. */
  readonly key: string
  /** Somebody has pressed the button. */
  readonly isBegun: boolean
}

const PURCHASE = 'insitu.purchase.'
const FORM = 'insitu.form.'
/** Characters of a script that is kept over page loads. */
const MOST = 1_000_000

/** Return what is remembered of a plan, or what will be. */
export function purchaseOf(plan: string): Begun {
  try {
    const { seed, key } = JSON.parse(sessionStorage.getItem(PURCHASE + plan) ?? '{}')
    if (/^[0-9a-f]{64}$/.test(seed) && typeof key === 'string') return { seed, key, isBegun: true }
  } catch {
    // What somebody else wrote there counts as nothing.
  }
  const seed = toHex(crypto.getRandomValues(new Uint8Array(32))).slice(2)
  return { seed, key: crypto.randomUUID(), isBegun: false }
}

/** Remember a purchase. Throws if the tab cannot remember anything: then nothing may be signed. */
export function remember(plan: string, { seed, key }: Begun): void {
  sessionStorage.setItem(PURCHASE + plan, JSON.stringify({ seed, key }))
}

/** Forget a purchase: it is done, or it will never be made. */
export function forget(plan: string): void {
  sessionStorage.removeItem(PURCHASE + plan)
}

/** Keep what was filled in for a subject, such as its data sets. */
export function keepForm(subject: string, form: Form): void {
  const { script, ...others } = form
  const content = script && script.content.length < MOST ? toBase64(script.content) : undefined
  const kept = { ...others, ...(script && content !== undefined && { script: { name: script.name, content } }) }
  try {
    sessionStorage.setItem(FORM + subject, JSON.stringify(kept))
  } catch {
    sessionStorage.removeItem(FORM + subject)
  }
}

/** Return what was filled in before. */
export function keptForm(subject: string, empty: Form): Form {
  try {
    const kept = JSON.parse(sessionStorage.getItem(FORM + subject) ?? '{}')
    const content = kept.script && fromBase64(String(kept.script.content))
    return { ...empty, ...kept, script: content && { name: String(kept.script.name), content } }
  } catch {
    return empty
  }
}
