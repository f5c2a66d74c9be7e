import type { AccountClient, EventView, ExecutionView } from 'insitu'
import { Desk } from 'insitu/desk'
import { computeServiceOf, isDid } from 'insitu/domain'
import type { SignedIn } from '../../elements/account.js'
import { executionOf } from '../../elements/account-lists.js'
import { replaceChildren } from '../../elements/dom.js'
import { ListElement, type Listed } from '../../elements/lists.js'
import { pause } from '../../elements/personal.js'
import { site } from '../../elements/site.js'
import { hasEnded } from '../execution/state.js'
import { openReceipt, surroundingsOf } from '../execution/surroundings.js'
import { proofOf } from './proof.js'
import type { DeskState, Ran } from './state.js'
import { deskView } from './view.js'

/** Ended runs, and assets, of one page. */
const PAGE = 25
/** Milliseconds in which several events cause one look at the sums. */
const SOON = 500

/** `<insitu-desk>`: what runs on the account's data, what left, the money, and what it offers. */
class DeskElement extends ListElement<ExecutionView> {
  protected readonly heading = 'Desk'
  #state: DeskState | undefined
  #after: string | undefined
  #counting: Promise<void> | undefined
  #proving = Promise.resolve()

  protected override async open(me: SignedIn, signal: AbortSignal): Promise<void> {
    const empty = { figures: new Map(), proofs: new Map(), around: new Map(), versions: new Map(), assets: undefined }
    const lists = { items: undefined, hasMore: false, hasMoreAssets: false, missing: [] }
    const asked = new URLSearchParams(location.search).get('reading') ?? ''
    const reading = isDid(asked) ? asked : undefined
    this.#state = { address: me.address, token: site().token, now: Date.now(), reading, ...empty, ...lists }
    this.#proving = Promise.resolve()
    const isLive = () => this.#state?.items?.some(one => !hasEnded(one))
    const tick = setInterval(() => isLive() && this.#change({ now: Date.now() }), 1000)
    signal.addEventListener('abort', () => clearInterval(tick), { once: true })
    this.#change({ token: (await me.client.chainFacts({ signal })).token })
    await super.open(me, signal)
  }

  /** What is going on comes with the first page, however long ago it began. */
  protected async read(client: AccountClient, before: string | undefined, signal: AbortSignal) {
    const desk = new Desk(client)
    const reading = this.#state?.reading
    const [live, ended] = await Promise.all([
      before === undefined ? desk.executions({ live: true, limit: 100, reading, signal }) : undefined,
      desk.executions({ live: false, before, limit: PAGE, reading, signal }),
    ])
    return { items: [...(live?.executions ?? []), ...ended.executions], before: ended.before }
  }

  protected async changed(client: AccountClient, event: EventView, signal: AbortSignal) {
    this.#countSoon(signal)
    const execution = await executionOf(client, event, signal)
    const isKnown = this.#state?.items?.some(one => one.workflowExecutionId === execution.workflowExecutionId)
    const reading = this.#state?.reading
    if (isKnown || (execution.role === 'owner' && reading === undefined)) return [execution]
    // Its own consumer and the provider see it as such, and the list says whether it reads what the account owns.
    const asked = { agreement: event.serviceAgreementId, limit: 1, reading, signal }
    return (await new Desk(client).executions(asked)).executions
  }

  protected keyOf({ workflowExecutionId, createdAt }: ExecutionView) {
    return [workflowExecutionId, Date.parse(createdAt)] as const
  }

  protected override async joined(_joined: SignedIn, signal: AbortSignal): Promise<void> {
    try {
      if (this.me !== undefined && this.#state?.assets === undefined) await this.#loadAssets(this.me, signal)
      await this.#count(signal)
    } catch (error) {
      // What runs and what left is shown without the rest.
      signal.throwIfAborted()
      this.failed(error)
    }
  }

  protected show(listed: Listed<ExecutionView>): void {
    this.#change(listed)
    const { me, signal } = this
    if (me !== undefined && signal !== undefined)
      this.#proving = this.#proving.then(() => this.#lookAround(me, signal)).catch(() => undefined)
  }

  protected override async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    this.#change({ error: undefined })
    const [did, execution] = [control.getAttribute('data-did') ?? '', control.getAttribute('data-execution') ?? '']
    if (act === 'more-assets') await this.#loadAssets(me, signal)
    else if (act === 'receipt') this.#openReceipt(execution)
    else if (act === 'stop') await this.#stop(me, control.getAttribute('data-agreement') ?? '', execution, signal)
    else if (did !== '') await this.#changeAsset(act, did, me, signal)
    else await super.act(act, control, me, signal)
  }

  protected failed(error: unknown): void {
    this.#change({ error, doing: undefined })
  }

  async #stop({ client }: SignedIn, agreement: string, execution: string, signal: AbortSignal): Promise<void> {
    this.#change({ doing: { what: execution, message: '' } })
    const stopped = await new Desk(client).stop(agreement, execution, { signal })
    const gateway = this.gatewayOf(execution)
    if (gateway !== undefined) this.put(gateway, [stopped])
    this.#change({ doing: undefined })
  }

  async #changeAsset(act: string, did: string, me: SignedIn, signal: AbortSignal): Promise<void> {
    const onProgress = ({ message }: { readonly message: string }) => this.#change({ doing: { what: did, message } })
    const client = await this.#clientOf(did, me, signal)
    const desk = new Desk(client)
    const control = { signal, onProgress }
    onProgress({ message: 'Your wallet is asked next.' })
    if (act === 'pause' || act === 'pause-now') await desk.pause(did, { ...control, stopRunning: act === 'pause-now' })
    else if (act === 'resume') await desk.resume(did, control)
    else if (act === 'retire') await desk.retire(did, control)
    // A pause may have taken the provider from the data set, without which nobody can buy it.
    else if (act === 'relist') await (this.#isData(did) ? desk.resume(did, control) : desk.relist(did, control))
    else if (act === 'list' || act === 'unlist') await desk.setListed(did, act === 'list', control)
    else if (act === 'version') await (await import('./version.js')).changeVersion(client, desk, did, control)
    this.#change({ doing: undefined })
    await this.#reloadAssets(me, signal)
    await this.#count(signal)
  }

  #isData(did: string): boolean {
    return this.#state?.assets?.some(asset => asset.did === did && asset.type === 'dataset') ?? false
  }

  /** Pauses are kept by the gateway that serves the data set. */
  async #clientOf(did: string, me: SignedIn, signal: AbortSignal): Promise<AccountClient> {
    const ddo = await me.client.assets.resolve(did, { signal })
    const { serviceEndpoint = '' } = ddo.service.some(({ type }) => type === 'compute') ? computeServiceOf(ddo) : {}
    return (this.signedIn.find(({ gateway }) => serviceEndpoint.startsWith(`${gateway}/`)) ?? me).client
  }

  #openReceipt(execution: string): void {
    const proof = this.#state?.proofs.get(execution)
    if (proof !== undefined && 'receipt' in proof) openReceipt(proof.receipt)
  }

  async #loadAssets({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    const page = await new Desk(client).assets({ after: this.#state?.assets && this.#after, limit: PAGE, signal })
    this.#after = page.after
    const assets = [...(this.#state?.assets ?? []), ...page.summaries]
    this.#change({ assets, hasMoreAssets: page.after !== undefined })
  }

  /** Look again at what is shown. */
  async #reloadAssets({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    const dids = this.#state?.assets?.map(({ did }) => did) ?? []
    const found = await Promise.all(pagesOf(dids, 100).map(page => client.assets.summaries(page, { signal })))
    this.#change({ assets: found.flatMap(({ summaries }) => summaries) })
  }

  #countSoon(signal: AbortSignal): void {
    this.#counting ??= pause(SOON, signal)
      .then(() => {
        this.#counting = undefined
        return this.#count(signal)
      })
      .catch(() => undefined)
      .finally(() => {
        this.#counting = undefined
      })
  }

  /** Ask each gateway for the sums, and what is open on the data sets that are shown. */
  async #count(signal: AbortSignal): Promise<void> {
    const dids = this.#state?.assets?.flatMap(({ did, type }) => (type === 'dataset' ? [did] : [])) ?? []
    for (const { client, gateway } of this.signedIn) {
      const desk = new Desk(client)
      const [first, ...more] = pagesOf(dids, 50)
      const told = await desk.figures(first, { signal })
      const others = await Promise.all(more.map(page => desk.figures(page, { signal })))
      const dataSets = [told, ...others].flatMap(one => one.dataSets)
      this.#change({ figures: new Map([...(this.#state?.figures ?? []), [gateway, { ...told, dataSets }]]) })
    }
  }

  /** Prove what ended, and read the documents of what runs. What a page can be without is not shown if it fails. */
  async #lookAround({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    for (const one of this.#state?.items ?? []) {
      if (signal.aborted || this.#state === undefined) return
      const { workflowExecutionId: id, workflowDid, versions = {} } = one
      const { proofs, around } = this.#state
      const known = proofs.get(id)
      if (hasEnded(one) && (known === undefined || (known.kind === 'waits' && one.settled))) {
        const proof = await proofOf(client, one, signal)
        this.#change({ proofs: new Map([...this.#state.proofs, [id, proof]]) })
        if ('algorithms' in proof) await this.#number(client, proof.algorithms, signal)
      } else if (!hasEnded(one) && !around.has(workflowDid)) {
        const found = await surroundingsOf(client, workflowDid, signal).catch(() => undefined)
        if (found === undefined) continue
        this.#change({ around: new Map([...this.#state.around, [workflowDid, found]]) })
        await this.#number(
          client,
          found.algorithms.map(did => ({ did, checksum: versions[did] })),
          signal,
        )
      }
    }
  }

  /** Find the numbers of versions, which the chain has. */
  async #number(client: AccountClient, ran: readonly Ran[], signal: AbortSignal): Promise<void> {
    for (const { did, checksum } of ran) {
      if (checksum === undefined || this.#state?.versions.has(`${did} ${checksum}`)) continue
      const version = await client.assets.at(did, checksum, { signal }).catch(() => undefined)
      if (version === undefined || this.#state === undefined) continue
      this.#change({ versions: new Map([...this.#state.versions, [`${did} ${checksum}`, version.number]]) })
    }
  }

  #change(change: Partial<DeskState>): void {
    if (this.#state === undefined) return
    this.#state = { ...this.#state, ...change }
    replaceChildren(this, ...deskView(this.#state))
  }
}

function pagesOf(dids: readonly string[], most: number): readonly (readonly string[])[] {
  return dids.flatMap((_, at) => (at % most === 0 ? [dids.slice(at, at + most)] : []))
}

customElements.define('insitu-desk', DeskElement)
