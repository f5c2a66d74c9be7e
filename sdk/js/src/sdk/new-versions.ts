import { isObject, type JsonObject } from '../domain/canonical.js'
import { type Ddo, readDdo } from '../domain/ddo.js'
import { sameAddress } from '../domain/ids.js'
import { requestOf } from '../domain/integrity.js'
import { requestDigest, requestVersions, type SignedRequest } from '../domain/registry-requests.js'
import { object, text } from '../domain/shape.js'
import { signerOf } from '../domain/signatures.js'
import { type Change, changesBetween } from '../domain/version-changes.js'
import { requireAllowedChange } from '../domain/versions.js'
import { orUndefined } from './absence.js'
import type { CallControl } from './account.js'
import type { AccountClient } from './account-client.js'
import { provedBy, reviseDdo, type UnsignedDdo, unsignedAgain } from './assembly.js'
import { Catalogue } from './catalogue.js'
import { Registrations } from './registrations.js'
import type { ResolvedAsset } from './resolver.js'

/** A version before it is signed. */
export interface ProposedVersion {
  readonly before: Ddo
  readonly after: Ddo
  readonly changes: readonly Change[]
}

/** How a version is published. */
export interface UpdateOptions extends CallControl {
  /** All files, each with its url; they are sealed again. Without them the list stays. */
  readonly files?: readonly JsonObject[] | undefined
  /** Called with what changes, before anything is signed. Throw to stop. */
  readonly confirm?: ((proposed: ProposedVersion) => void | Promise<void>) | undefined
}

/** A version that an interrupted call has published, and the request that still registers it. */
export interface WaitingVersion {
  readonly unsigned: UnsignedDdo
  readonly request: SignedRequest
}

/** Makes and registers new versions of what an account owns. */
export class NewVersions {
  readonly #client: AccountClient
  readonly #registrations: Registrations
  readonly #catalogue: Catalogue

  constructor(client: AccountClient) {
    this.#client = client
    this.#registrations = new Registrations(client)
    this.#catalogue = new Catalogue(client)
  }

  /**
   * Make a version, and judge it by every rule of documents. Nothing is signed or published.
   *
   * @throws InsituError `VersionNotAllowed`, `InvalidDocument` and the codes of single rules
   */
  async propose(ddo: Ddo, services: readonly JsonObject[], updated: string = timeNow()): Promise<UnsignedDdo> {
    const unsigned = reviseDdo(ddo, services, this.#client.account, updated)
    const after = readDdo(unsigned.json)
    requireAllowedChange(ddo, after, [this.#client.contracts.template])
    const { validateDdo } = await import('../domain/document-rules.js')
    validateDdo(after, { withoutCompute: true, isNew: true })
    return unsigned
  }

  /** Let the gateway seal a list of files for an asset of this account, and return the sealed list. */
  async seal(did: string, files: readonly object[], { signal, onProgress }: CallControl): Promise<string> {
    const call = { json: { did, files }, idempotent: true, signal, onProgress }
    const sealed = await this.#client.parts.gateway.call(object({ encryptedFiles: text }), 'POST', '/encrypt', call)
    return sealed.encryptedFiles
  }

  /**
   * Publish and register versions, all with one signature, and await their listing.
   *
   * @param request - what an earlier call has signed for them
   * @throws InsituError `NotDIDOwner`, `RejectedByUser`, `VersionMismatch`, what the catalogue or the gateway refuses with
   */
  async register(
    versions: readonly UnsignedDdo[],
    control: CallControl,
    request?: SignedRequest,
  ): Promise<readonly ResolvedAsset[]> {
    await this.#client.parts.trust(control.signal)
    const { address } = this.#catalogue
    const signed = request ?? (await this.#registrations.signUpdates(versions, address, control))
    for (const unsigned of versions) await this.#catalogue.update(provedBy(unsigned, signed), control)
    await this.#registrations.send(signed, versions, control)
    const found: ResolvedAsset[] = []
    for (const { did, checksum } of versions) {
      await this.#catalogue.wait(did, checksum, control)
      found.push(await this.#client.parts.resolver.resolve(did, control.signal))
    }
    return found
  }

  /**
   * Return the next version that an interrupted call has published. The catalogue only says where to look: this account has
   * signed the request, which names the document.
   */
  async findWaiting(did: string, control: CallControl): Promise<WaitingVersion | undefined> {
    const { resolver } = this.#client.parts
    const pending = (await orUndefined(this.#catalogue.status(did, control)))?.pending
    if (pending === undefined) return undefined
    const version = { did: did as UnsignedDdo['did'], url: this.#catalogue.address, checksum: pending }
    const [ddo] = await resolver.read(version, control.signal)
    const request = requestOf(ddo)
    if (request === undefined || !requestVersions(request).some(([of, sum]) => of === did && sum === pending)) {
      return undefined
    }
    const signer = signerOf(requestDigest(request), request.signature)
    if (!sameAddress(signer ?? '', this.#client.account)) return undefined
    if (!(await this.#registrations.isSendable(request, control.signal))) return undefined
    return { unsigned: unsignedAgain(ddo), request }
  }
}

/** Return a list of files in the form that may be public: without where they are, and without names. */
export function publicFiles(files: readonly JsonObject[]): JsonObject[] {
  return files.filter(isObject).map(({ url: _url, name: _name, ...shown }) => shown as JsonObject)
}

/** Return the current time as documents write it. */
export function timeNow(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`
}

/** Return a version with what it changes. */
export function proposedVersion(before: Ddo, { json }: { readonly json: JsonObject }): ProposedVersion {
  const after = readDdo(json)
  return { before, after, changes: changesBetween(before, after) }
}
