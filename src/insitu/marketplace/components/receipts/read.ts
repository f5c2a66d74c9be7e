import { isInsituError, readEnvelope, readJson, requireAll, type VerifiedReceipt, verifyReceipt } from 'insitu/verify'

/** What became of a file that somebody chose. */
export type Checked =
  | {
      readonly kind: 'holds'
      readonly name: string
      readonly found: VerifiedReceipt
      readonly checked: readonly string[]
      readonly text: string
    }
  | { readonly kind: 'refused'; readonly name: string; readonly why: string; readonly next: string }

/** A receipt has at most 4 MiB, and a third more as base64; what the gateway writes beside it is small. */
const MOST = 8 * 1024 * 1024

/** Check a file offline. Whatever it holds, the answer is a sentence. */
export async function checkFile(file: File): Promise<Checked> {
  const refused = (
    why: string,
    next = 'Choose the receipt.json that the provider’s page or `insitu receipt` wrote.',
  ): Checked => ({ kind: 'refused', name: file.name, why, next })
  if (file.size === 0) return refused('The file is empty.')
  if (file.size > MOST) return refused('The file is too large for a receipt, so nothing of it was read.')
  const bytes = await file.arrayBuffer().catch(() => undefined)
  if (bytes === undefined) return refused('The browser cannot read this file.', 'Choose it again.')
  try {
    return checkText(file.name, new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (error instanceof TypeError) return refused('The file is not text.')
    if (error instanceof RangeError) return refused('The file is nested too deeply for a receipt.')
    if (!isInsituError(error)) throw error
    if (error.code === 'InvalidDocument') return refused(`It is not a receipt: ${error.detail}.`)
    return refused(`It does not hold: ${error.detail}.`, error.nextStep)
  }
}

/** Check a receipt's text. Throws what is wrong with it. */
export function checkText(name: string, text: string): Checked {
  const value = readJson(text)
  const isWhole = typeof value === 'object' && value !== null && 'envelope' in value
  const found = verifyReceipt(readEnvelope(isWhole ? value['envelope'] : value))
  const stated = isWhole && 'receiptHash' in value ? value['receiptHash'] : undefined
  const beside =
    stated === undefined ? [] : requireAll([['the hash stated beside it is its own', stated === found.receiptHash]])
  return { kind: 'holds', name, found, checked: [...found.checked, ...beside], text }
}
