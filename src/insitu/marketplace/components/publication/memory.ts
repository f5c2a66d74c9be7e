/** What a tab remembers of a draft. The provider's files belong to the account that may see them. */
import { fromBase64, toBase64 } from 'insitu/domain'
import type { ChosenFile, Draft, Kind } from './state.js'

/** Bytes of scripts that are kept over page loads. */
const MOST = 1_000_000

/** Fields of what one gateway offers, and another does not. */
const OFFERED = /^(image|server)[0-9]*$|[.]image$/

const placeOf = (kind: Kind, account = '') => `insitu.publication.${kind}${account}`

/** Keep a draft. A tab that cannot is no reason to stop: nothing that counts is kept here. */
export function keepDraft(kind: Kind, account: string, gateway: string, { values, files, scripts }: Draft): void {
  const size = scripts.reduce((sum, { content }) => sum + content.length, 0)
  const kept = size < MOST ? scripts.map(({ name, content }) => [name, toBase64(content)]) : []
  try {
    sessionStorage.setItem(placeOf(kind), JSON.stringify({ gateway, values, scripts: kept }))
    sessionStorage.setItem(placeOf(kind, account), JSON.stringify({ gateway, files }))
  } catch {
    forgetDraft(kind, account)
  }
}

/**
 * Return what was kept and holds at a gateway: files, images and servers of another one are left out. What somebody else wrote
 * there counts as nothing.
 */
export function keptDraft(kind: Kind, account: string, gateway: string): Draft {
  try {
    const { values = {}, scripts = [], ...kept } = JSON.parse(sessionStorage.getItem(placeOf(kind)) ?? '{}')
    const chosen = JSON.parse(sessionStorage.getItem(placeOf(kind, account)) ?? '{}')
    const files: ChosenFile[] = chosen.gateway === gateway ? chosen.files : []
    const texts = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    const read = scripts.map(([name, content]: string[]) => ({
      name: String(name),
      content: fromBase64(String(content)),
    }))
    return {
      values: Object.fromEntries(texts.filter(([field]) => kept.gateway === gateway || !OFFERED.test(field))),
      files: files.filter(({ url }) => typeof url === 'string'),
      scripts: read,
    }
  } catch {
    return { values: {}, files: [], scripts: [] }
  }
}

/** Forget a draft: it is published. */
export function forgetDraft(kind: Kind, account: string): void {
  sessionStorage.removeItem(placeOf(kind))
  sessionStorage.removeItem(placeOf(kind, account))
}
