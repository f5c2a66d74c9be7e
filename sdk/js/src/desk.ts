/**
 * What an owner does with published assets: `insitu/desk`.
 *
 * @packageDocumentation
 */
import * as errors from './api/errors.gen.js'
import type { JsonObject } from './domain/canonical.js'
import type { Ddo } from './domain/ddo.js'
import { readDid } from './domain/did.js'
import { type Address, readAddress, sameAddress } from './domain/ids.js'
import type { Change } from './domain/version-changes.js'
import { InsituError } from './errors.js'
import { type CallControl, onlySignal } from './sdk/account.js'
import type { AccountClient } from './sdk/account-client.js'
import type { AssetStatus, CuratedPage, Curation } from './sdk/catalogue.js'
import type { Execution } from './sdk/execution.js'
import type { ExecutionPage, ExecutionsOptions, ExecutionView } from './sdk/lists.js'
import type { ProposedVersion, UpdateOptions } from './sdk/new-versions.js'
import {
  type DeskFigures,
  FIGURES,
  type OwnedAssets,
  type OwnedData,
  type OwnedOptions,
  ownedAssets,
  PAUSED,
  type Paused,
  type PauseOptions,
} from './sdk/owned-data.js'
import type { OwnerTools } from './sdk/owner-tools.js'
import { registeredVersions } from './sdk/registered-versions.js'
import type { ResolvedAsset } from './sdk/resolver.js'

export type {
  AssetStatus,
  Change,
  CuratedPage,
  Curation,
  DeskFigures,
  OwnedAssets,
  OwnedData,
  OwnedOptions,
  Paused,
  PauseOptions,
  ProposedVersion,
  UpdateOptions,
}

/** Changes, pauses and gives away what an account owns. The account signs, the gateway sends, and nothing needs coin. */
export class Desk {
  readonly #client: AccountClient

  constructor(client: AccountClient) {
    this.#client = client
  }

  /** What changes assets is loaded when something is changed: who looks at a desk does not wait for it. */
  async #tools(): Promise<OwnerTools> {
    const { ownerTools } = await import('./sdk/owner-tools.js')
    return ownerTools(this.#client)
  }

  /**
   * Publish and register a new version of an asset, and return it once it is listed. One signature; without a change nothing
   * happens.
   *
   * @param assetMetadata - what changes, in the form of `registerAsset`: a member replaces, null removes (RFC 7396)
   * @param servicesDescription - each names the service that it changes by index or type
   * @throws InsituError `NotDIDOwner`, `VersionNotAllowed`, `ServiceNotFound`, `InvalidDocument`, `RejectedByUser`,
   * `VersionMismatch`, `ContractMismatch`, and what the catalogue or the gateway refuses with
   */
  async update(
    did: string,
    assetMetadata: unknown = {},
    servicesDescription: readonly unknown[] = [],
    options: UpdateOptions = {},
  ): Promise<ResolvedAsset> {
    const { signal, onProgress, files, confirm } = options
    const present = await this.#own(did, signal)
    const { versions, reviseServices, patchMetadata, publicFiles, sameServices, proposedVersion } = await this.#tools()
    let entries = reviseServices(present.ddo, assetMetadata, servicesDescription)
    if (files !== undefined) {
      const listed = files.map((file, index) => ({ index, ...file }))
      const encryptedFiles = await versions.seal(did, listed, { signal, onProgress })
      entries = patchMetadata(entries, { main: { files: publicFiles(listed) }, encryptedFiles })
    }
    if (sameServices(entries, servicesOf(present.ddo))) return present
    const proposed = await versions.propose(present.ddo, entries)
    await confirm?.(proposedVersion(present.ddo, proposed))
    const [registered] = await versions.register([proposed], { signal, onProgress })
    return registered as ResolvedAsset
  }

  /** Return what `update` would publish of an asset that `assets.show` returned, judged by every rule. Throws like `update`. */
  async propose(
    { ddo }: ResolvedAsset,
    assetMetadata: unknown = {},
    servicesDescription: readonly unknown[] = [],
  ): Promise<ProposedVersion> {
    const { versions, reviseServices, proposedVersion } = await this.#tools()
    const entries = reviseServices(ddo, assetMetadata, servicesDescription)
    return proposedVersion(ddo, await versions.propose(ddo, entries))
  }

  /** List what the account owns, in every state. Throws like `assets.search`. */
  async assets(options: OwnedOptions = {}): Promise<OwnedAssets> {
    return ownedAssets(this.#client, options)
  }

  /**
   * Return what the account was paid at a gateway in 30 days, what waits for it in escrow, and what is open and paused on these
   * of its data sets, at most 50. Throws `InvalidDid`, `RejectedByUser` from the sign-in, what the gateway refuses with.
   */
  async figures(dids: readonly string[] = [], control: CallControl = {}): Promise<DeskFigures> {
    const call = { params: { did: dids }, onProgress: control.onProgress, ...onlySignal(control) }
    return this.#client.parts.gateway.call(FIGURES, 'GET', '/desk', call)
  }

  /**
   * Return where an asset stands in the catalogue, as the catalogue says.
   *
   * @throws InsituError `AssetNotFound`, `InvalidDid`
   */
  async status(did: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.status(did, control)
  }

  /**
   * Let strangers find an asset, or not. Either way it can be used by its DID. One signature.
   *
   * @throws InsituError `NotOwner`, `AssetNotFound`, `RejectedByUser`
   */
  async setListed(did: string, listed: boolean, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.list(did, listed ? 'list' : 'unlist', control)
  }

  /**
   * Take an asset off the lists. Existing purchases stay usable. One signature.
   *
   * @throws InsituError `NotOwner`, `AssetNotFound`, `RejectedByUser`
   */
  async retire(did: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.list(did, 'retire', control)
  }

  /** List a retired asset again, with the same document as a new version. Throws like `update`. */
  async relist(did: string, control: CallControl = {}): Promise<ResolvedAsset> {
    const { ddo } = await this.#own(did, control.signal)
    const { versions } = await this.#tools()
    const same = await versions.propose(ddo, servicesOf(ddo))
    const [registered] = await versions.register([same], control)
    return registered as ResolvedAsset
  }

  /**
   * As a curator of the catalogue, hide an asset from everybody's searches, for a public reason.
   *
   * @throws InsituError `NotCurator`, `AssetNotFound`, `RejectedByUser`
   */
  async hide(did: string, reason: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.curate(did, 'hide', reason, control)
  }

  /** Undo `hide`: what its owner asked for holds again. Throws like `hide`. */
  async unhide(did: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.curate(did, 'unhide', '', control)
  }

  /**
   * As a curator of the catalogue, have its pages show an asset first, for a public reason.
   *
   * @throws InsituError `NotCurator`, `FeaturedFull`, `AssetNotFound`, `RejectedByUser`
   */
  async feature(did: string, reason: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.curate(did, 'feature', reason, control)
  }

  /** Return what curators hide or feature now, 20 on a page: who decided, when and why. Throws `PeerUnavailable`. */
  async curated(what: Curation, page = 1, control: CallControl = {}): Promise<CuratedPage> {
    return (await this.#tools()).catalogue.curated(what, page, control)
  }

  /** Undo `feature`. Throws like `hide`. */
  async unfeature(did: string, control: CallControl = {}): Promise<AssetStatus> {
    return (await this.#tools()).catalogue.curate(did, 'unfeature', '', control)
  }

  /**
   * Return the accounts that ever provided an asset besides its owners, and whether they still do, as the chain has it.
   *
   * @throws InsituError `AssetNotFound`, `InvalidDid`, `ChainUnavailable`
   */
  async providers(did: string, { signal }: CallControl = {}): Promise<ReadonlyMap<Address, boolean>> {
    const { chain, resolver } = this.#client.parts
    const record = await resolver.chain.didRecord(readDid(did), signal)
    let since = record.block
    for await (const { block } of registeredVersions(resolver.chain, record, signal)) since = block
    const found = new Map<Address, boolean>()
    for (const provider of await chain.everProvided(did, since, signal)) {
      found.set(provider, await chain.isProvider(did, provider, signal))
    }
    return found
  }

  /**
   * Let nothing start on a data set from now on, and take it off the lists; `resume` is the way back (ADR 0127). One
   * signature for each provider that is removed, one for the sign-in, and one for the catalogue.
   *
   * @throws InsituError `NotDIDOwner`, `ChangesMismatch`, `RejectedByUser`, `RelayOff`, `TransactionUnconfirmed`, what the
   * gateway refuses with
   */
  async pause(did: string, { stopRunning = false, ...control }: PauseOptions = {}): Promise<Paused> {
    const { registrations } = await this.#tools()
    const { owner } = await registrations.own(did, control.signal)
    await this.#client.parts.trust(control.signal)
    const every = [...(await this.providers(did, control))]
    const removed = every.filter(([provider, provides]) => provides && !sameAddress(provider, owner))
    for (const [at, [provider]] of removed.entries()) {
      const message = `Your wallet is asked to sign that ${provider} no longer provides ${did}.`
      const progress = { step: 'provider', message, promptsLeft: removed.length - at } as const
      await registrations.change(did, { provider, allowed: false }, progress, control)
    }
    const paused = await this.#pauseAtGateway('PUT', did, stopRunning, control)
    await this.retire(did, control)
    return paused
  }

  /**
   * Undo `pause` and `retire`: the gateway provides again if an owner let it before, and the asset is listed.
   *
   * @throws InsituError `NotDIDProvider` if the gateway names an account that never provided it, and what `pause` and
   * `relist` throw
   */
  async resume(did: string, control: CallControl = {}): Promise<AssetStatus> {
    const { registrations } = await this.#tools()
    const { owner } = await registrations.own(did, control.signal)
    await this.#client.parts.trust(control.signal)
    const provider = this.#client.reading.providerAddress
    if (!sameAddress(provider, owner)) {
      const provides = (await this.providers(did, control)).get(provider)
      if (provides === undefined) {
        const detail = `the gateway names ${provider} as its account, which no owner of ${did} ever let provide it`
        throw new InsituError(errors.NotDIDProvider, detail)
      }
      const message = `Your wallet is asked to sign that ${provider} provides ${did} again.`
      const progress = { step: 'provider', message } as const
      if (!provides) await registrations.change(did, { provider, allowed: true }, progress, control)
    }
    await this.#pauseAtGateway('DELETE', did, false, control)
    if ((await this.status(did, control)).state === 'retired') await this.relist(did, control)
    return this.status(did, control)
  }

  /**
   * Give an asset to another account, in one signature. This cannot be undone.
   *
   * @throws InsituError `NotDIDOwner`, `ChangesMismatch` if another change came first, `InvalidId`, `RejectedByUser`,
   * `RelayOff`, `TransactionUnconfirmed`
   */
  async transfer(did: string, newOwner: string, control: CallControl = {}): Promise<void> {
    const receiver = readAddress(newOwner)
    const { registrations } = await this.#tools()
    await this.#client.parts.trust(control.signal)
    const message = `Your wallet is asked to sign that ${did} belongs to ${receiver} from now on. This cannot be undone.`
    await registrations.change(did, { newOwner: receiver }, { step: 'transfer', message }, control)
  }

  /**
   * List executions that read what this account owns, newest first; `reading` names a data set. Throws like `figures`.
   */
  async executions(options: ExecutionsOptions = {}): Promise<ExecutionPage> {
    return this.#client.executions({ ...options, role: 'owner' })
  }

  /**
   * Stop an execution that reads what this account owns. One that has ended stays as it is.
   *
   * @throws InsituError `AgreementUnknown`, `InvalidId`, `NotOwner`, what the gateway refuses with
   */
  async stop(agreement: string, execution: string, control: CallControl = {}): Promise<ExecutionView> {
    const found: Execution = await this.#client.execution(agreement, execution, control.signal)
    return found.stop(control)
  }

  async #own(did: string, signal: AbortSignal | undefined): Promise<ResolvedAsset> {
    await (await this.#tools()).registrations.own(did, signal)
    return this.#client.parts.resolver.resolve(did, signal)
  }

  async #pauseAtGateway(method: string, did: string, stop: boolean, control: CallControl): Promise<Paused> {
    const params = { stop: stop ? 'true' : undefined }
    const call = { params, idempotent: true, onProgress: control.onProgress, ...onlySignal(control) }
    return this.#client.parts.gateway.call(PAUSED, method, `/pauses/${did}`, call)
  }
}

function servicesOf(ddo: Ddo): JsonObject[] {
  return ddo.service.map(entry => entry.json)
}
