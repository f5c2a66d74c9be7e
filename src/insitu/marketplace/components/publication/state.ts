/** What the page of a publication shows, and what stands in its form. */
import type { Address, JsonObject, TypedData } from 'insitu/domain'
import type { Folder, PreparedAsset } from 'insitu/publish'
import type { Token } from '../../elements/site.js'
import type { Preview } from './preview.js'

export type Kind = 'data' | 'algorithm' | 'workflow'
export type StepName = 'describe' | 'files' | 'rules' | 'price' | 'code' | 'stages' | 'check'

/** A file of the provider that was chosen. */
export interface ChosenFile {
  readonly url: string
  readonly name: string
  readonly isFolder: boolean
  readonly size?: number | undefined
}

/** A file of this machine that will be uploaded. */
export interface Script {
  readonly name: string
  readonly content: Uint8Array
}

/** Everything that a person has put into the form: texts and choices by the id of their field. */
export interface Draft {
  readonly values: Readonly<Record<string, string>>
  readonly files: readonly ChosenFile[]
  readonly scripts: readonly Script[]
}

/** What the gateway offers. */
export interface Offered {
  readonly images: readonly JsonObject[]
  readonly servers: readonly JsonObject[]
}

/** An asset that a workflow may use; its name is a claim. */
export interface Found {
  readonly did: string
  readonly name: string
  readonly type: string
}

export interface PublicationState extends Draft {
  readonly kind: Kind
  readonly heading: string
  readonly step: StepName
  readonly address: Address
  readonly gateway: string
  /** All that the page may ask, and the one for which the draft was written. */
  readonly gateways: readonly string[]
  readonly wanted: string
  readonly token: Token
  readonly offered: Offered
  readonly folder: Folder | undefined
  readonly found: readonly Found[]
  /** What is wrong, by the id of the field; `form` is what has no field. */
  readonly problems: Readonly<Record<string, string>>
  readonly isJudged: boolean
  readonly preview: Preview | undefined
  readonly document: JsonObject | undefined
  /** The exact document, once it is made. */
  readonly prepared: PreparedAsset | undefined
  /** What happens now: a sentence, and what the wallet is asked. */
  readonly now?: { readonly message: string; readonly asks?: TypedData | string | undefined } | undefined
  readonly done?: { readonly did: string; readonly reused: boolean; readonly isListed: boolean } | undefined
  readonly error?: unknown
}

export const STEPS: Readonly<Record<Kind, readonly StepName[]>> = {
  data: ['describe', 'files', 'rules', 'price', 'check'],
  algorithm: ['describe', 'code', 'check'],
  workflow: ['describe', 'stages', 'check'],
}

/** What the form begins with: the strongest rules. */
export const DEFAULTS: Readonly<Record<string, string>> = {
  ...{ name: '', description: '', author: '', license: 'No License Specified', tags: '' },
  ...{ run: 'named', algorithms: '', publishers: '', types: '.csv', maxBytes: '100 kB', maxFiles: '3', logs: 'none' },
  ...{ maxExecutions: '5', consumers: 'any', accounts: '', failures: 'charged', revisions: 'untilSuccess', use: '' },
  ...{ parameters: '', price: '', days: '1', entrypoint: '', image: '', stages: '1', search: '' },
}

/** Return the value of a field, or what it begins with. */
export function typed({ values }: Pick<Draft, 'values'>, field: string): string {
  return values[field] ?? DEFAULTS[field] ?? ''
}

/** Return the step at which a field stands. */
export function stepOf(kind: Kind, field: string): StepName {
  if (['name', 'description', 'author', 'license', 'tags'].includes(field)) return 'describe'
  if (field === 'form') return 'check'
  if (kind !== 'data') return kind === 'algorithm' ? 'code' : 'stages'
  if (field === 'files') return 'files'
  return ['price', 'days', 'images', 'servers'].includes(field) ? 'price' : 'rules'
}
