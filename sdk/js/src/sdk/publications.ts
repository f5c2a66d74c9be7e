/** What is said of an asset that is published, and of the files that it may name. */
import type { components } from '../api/gateway.gen.js'
import { isObject } from '../domain/canonical.js'
import type { Description } from '../domain/description.js'
import type { CallControl } from './account.js'
import type { UnsignedDdo } from './assembly.js'
import type { ResolvedAsset } from './resolver.js'

/** How an asset is published. */
export interface RegisterOptions extends CallControl {
  /** Address of the published key, if it is not the account's. */
  readonly publisherPublicKey?: string | undefined
  /** It is a data set that nobody can compute on. */
  readonly withoutCompute?: boolean | undefined
}

/** A page of a folder of the provider. */
export type Folder = components['schemas']['Folder']

/** An entry of a folder; without `url` it cannot be published, and `problem` says why. */
export type ListedFile = components['schemas']['ListedFile']

/** Which page of a folder is wanted. */
export interface FilesOptions extends CallControl {
  /** The name after which the page begins: `next` of the page before. */
  readonly after?: string | undefined
  /** Entries of the page, 1 to 500; 100 if it is left out. */
  readonly limit?: number | undefined
}

/** A published asset. */
export interface PublishedAsset extends ResolvedAsset {
  readonly did: string
  /** An equal asset of this account was there already. */
  readonly reused: boolean
}

/** A document that is ready to be signed, published and registered, with the key of its description. */
export interface PreparedAsset extends UnsignedDdo {
  readonly key: string
}

/** Bytes that were uploaded: name them by `url` in a description. */
export interface UploadedBytes {
  readonly url: string
  readonly sha256: string
}

/** Return whether a description's files have urls, so that they have to be sealed. */
export function namesUrls(description: Description): boolean {
  return description.files.some(file => isObject(file) && 'url' in file)
}

/** Of a call's options, what a gateway takes. */
export function authorised({ json, onProgress, signal }: RegisterOptions & { readonly json?: unknown }) {
  return { ...(json !== undefined && { json }), idempotent: true, onProgress, signal }
}
