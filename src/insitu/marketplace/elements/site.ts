import { isObject, type JsonObject, readJson } from 'insitu/domain'

/**
 * What the server says about the page. Nothing in it is trusted when something is signed: contracts come from a person or
 * from the SDK, prices and receivers from verified documents.
 */
export interface Site {
  /** Address of the catalogue, without the path of its API. */
  readonly catalogue: string
  /** Addresses of gateways that the operator names. */
  readonly gateways: readonly string[]
  /** Origins that this page may call besides its own. */
  readonly reachable: readonly string[]
  /** The chain is a development chain, and tokens are worth nothing. */
  readonly development: boolean
  readonly chain: { readonly id: number; readonly name: string }
  readonly token: Token
  readonly version: string
}

/** How amounts are written. */
export interface Token {
  readonly symbol: string
  readonly decimals: number
}

let read: Site | undefined

/** Return what the page's data block says; what is missing is empty. */
export function site(): Site {
  read ??= readSite(document.getElementById('insitu-site')?.textContent ?? '{}')
  return read
}

function readSite(text: string): Site {
  const value = readJson(text)
  const said = isObject(value) ? value : {}
  const [chain, token] = [objectOf(said['chain']), objectOf(said['token'])]
  return {
    catalogue: textOf(said['catalogue']) || location.origin,
    gateways: textsOf(said['gateways']),
    reachable: textsOf(said['reachable']),
    development: said['development'] === true,
    chain: { id: Number(chain['id'] ?? 0), name: textOf(chain['name']) },
    token: { symbol: textOf(token['symbol']), decimals: Number(token['decimals'] ?? 18) },
    version: textOf(said['version']),
  }
}

function objectOf(value: unknown): JsonObject {
  return isObject(value as never) ? (value as JsonObject) : {}
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textOf).filter(Boolean) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
