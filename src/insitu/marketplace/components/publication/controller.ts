import { InsituError, isInsituError, type Progress } from 'insitu'
import { type JsonObject, sameAddress } from 'insitu/domain'
import type { Publisher } from 'insitu/publish'
import { changed, type SignedIn } from '../../elements/account.js'
import { focusOn, replaceChildren } from '../../elements/dom.js'
import { entrypointOf } from '../../elements/interpreters.js'
import { gateways, pause } from '../../elements/personal.js'
import { problemOf } from '../../elements/problem.js'
import { site } from '../../elements/site.js'
import { type Described, describe, fieldOf, neededVersions, offeredAt } from './draft.js'
import { forgetDraft, keepDraft, keptDraft } from './memory.js'
import { previewOf } from './preview.js'
import { type Found, type Kind, type PublicationState, STEPS, type StepName, typed } from './state.js'
import { publicationView } from './view.js'

/** Milliseconds without a change after which the draft is judged. */
const PAUSE = 300
const MOST_FOUND = 10

/** Runs the page in its element: an asset is described, judged while it is written, signed once, and awaited. */
export class PublicationController {
  readonly #root: HTMLElement
  #me: SignedIn | undefined
  #signal: AbortSignal | undefined
  #state: PublicationState | undefined
  /** Ends what is asked about an earlier draft. */
  #judging = new AbortController()
  /** Ends what is made or signed. */
  #working = new AbortController()
  #versions: Record<string, string> = {}

  constructor(root: HTMLElement) {
    this.#root = root
  }

  /** Show everything for an account, until the signal says stop. */
  async open(me: SignedIn, wanted: string, signal: AbortSignal): Promise<void> {
    const kind = this.#root.getAttribute('kind') as Kind
    const heading = this.#root.getAttribute('heading') ?? ''
    this.#me = me
    this.#signal = signal
    const wasBusy = this.#state?.now !== undefined && this.#state.done === undefined
    const { client } = me
    const [offered, { token }] = await Promise.all([offeredAt(client, signal), client.chainFacts({ signal })])
    const step = STEPS[kind].find(name => name === location.hash.slice(1)) ?? 'describe'
    this.#state = {
      ...{ kind, heading, step, address: me.address, gateway: me.gateway, token },
      ...{ gateways: gateways(), wanted },
      ...{
        ...keptDraft(kind, me.address, me.gateway),
        offered,
      },
      ...{ folder: undefined, found: [], problems: {}, isJudged: false, preview: undefined, document: undefined },
      ...{ prepared: undefined, error: wasBusy ? changed() : undefined },
    }
    this.#show({ token: { symbol: token.symbol || site().token.symbol, decimals: token.decimals } })
    await this.#judge(0)
  }

  /** Keep the draft for another gateway: the page begins again there. */
  move(gateway: string): void {
    const { kind, address } = this.#state as PublicationState
    keepDraft(kind, address, gateway, keptDraft(kind, address, gateway))
  }

  /** Whether there is something to show of the account. */
  get isShown(): boolean {
    return this.#state !== undefined && this.#state.address === this.#me?.address
  }

  /** Show what an action met. */
  failed(error: unknown): void {
    this.#show({ now: undefined, error: problemOf(error) && error })
  }

  /** Do what a control with `data-act` asks for. */
  async act(act: string, control: Element, me: SignedIn, signal: AbortSignal): Promise<void> {
    const state = this.#state
    if (act === 'stop') return this.#working.abort(new DOMException('stopped waiting', 'AbortError'))
    if (state === undefined || (state.now !== undefined && act !== 'list')) return
    this.#show({ error: undefined })
    if (act === 'step') this.#goTo(control.getAttribute('data-step') as StepName)
    else if (act === 'look') await this.#look(control.getAttribute('data-path') ?? undefined, signal)
    else if (act === 'look-on') await this.#lookOn(signal)
    else if (act === 'choose') this.#choose(control.getAttribute('data-url') ?? '')
    else if (act === 'remove')
      this.#change({ files: state.files.filter(({ url }) => url !== control.getAttribute('data-url')) })
    else if (act === 'find') await this.#find(me, signal)
    else if (act === 'prepare') await this.#prepare(me, this.#work(signal))
    else if (act === 'sign') await this.#sign(me, this.#work(signal))
    else if (act === 'list') await this.#list(me, signal)
  }

  readonly #actions = {
    set: (field: string, value: string) => this.#change({ values: { ...this.#state?.values, [field]: value } }),
    chooseScripts: (files: readonly File[]) => void this.#chooseScripts(files),
  }

  /** Return the signal of what begins now: it ends with the account, or when the person no longer waits. */
  #work(signal: AbortSignal): AbortSignal {
    this.#working = new AbortController()
    return AbortSignal.any([signal, this.#working.signal])
  }

  #show(change: Partial<PublicationState>): void {
    if (this.#state === undefined) return
    this.#state = { ...this.#state, ...change }
    replaceChildren(this.#root, ...publicationView(this.#state, this.#actions))
  }

  #goTo(step: StepName): void {
    history.replaceState(null, '', `#${step}`)
    this.#show({ step })
    focusOn(this.#root.querySelector('#step'))
  }

  /** Anything in the form changed: a document that was made is no longer what the form says. */
  #change(change: Partial<PublicationState>): void {
    const state = this.#state
    if (state === undefined || state.now !== undefined) return
    this.#show({ ...change, prepared: undefined, error: undefined })
    keepDraft(state.kind, state.address, state.gateway, { ...state, ...change })
    void this.#judge(PAUSE)
  }

  async #chooseScripts(files: readonly File[]): Promise<void> {
    const read = async (file: File) => ({ name: file.name, content: new Uint8Array(await file.arrayBuffer()) })
    const scripts = await Promise.all(files.map(read))
    const [only] = scripts
    const entrypoint = scripts.length === 1 && only ? entrypointOf(only.name) : ''
    const started = entrypoint === '' ? {} : { entrypoint }
    this.#change({ scripts, values: { ...this.#state?.values, ...started } })
  }

  /** What judges and publishes is loaded once the form is there. */
  async #publisher({ client }: SignedIn): Promise<Publisher> {
    const { Publisher } = await import('insitu/publish')
    return new Publisher(client)
  }

  async #look(path: string | undefined, signal: AbortSignal): Promise<void> {
    if (this.#me === undefined) return
    this.#show({ folder: await (await this.#publisher(this.#me)).files(path, { signal }) })
    focusOn(this.#root.querySelector('#folder'))
  }

  async #lookOn(signal: AbortSignal): Promise<void> {
    const known = this.#state?.folder
    if (this.#me === undefined || known === undefined) return
    const after = known.next ?? ''
    const more = await (await this.#publisher(this.#me)).files(known.path ?? undefined, { after, signal })
    this.#show({ folder: { ...more, files: [...known.files, ...more.files] } })
  }

  #choose(wanted: string): void {
    const entry = this.#state?.folder?.files.find(({ url }) => url === wanted)
    if (entry === undefined || this.#state === undefined) return
    const name = entry.name.slice(entry.name.lastIndexOf('/') + 1)
    const size = entry.size ?? undefined
    this.#change({ files: [...this.#state.files, { url: wanted, name, isFolder: entry.kind === 'folder', size }] })
  }

  async #find({ client, address }: SignedIn, signal: AbortSignal): Promise<void> {
    if (this.#state === undefined) return
    const words = typed(this.#state, 'search').trim()
    const search = (type: string, more: object) =>
      client.assets.search(words, { type, offset: MOST_FOUND, signal, ...more })
    const pages = await Promise.all([
      search('dataset', {}),
      search('algorithm', {}),
      search('algorithm', { owner: address }),
    ])
    const dids = pages.flatMap(({ results }) => results.map(document => String(document['id'])))
    const { summaries } = await client.assets.summaries([...new Set(dids)], { signal })
    this.#show({ found: summaries.map(({ did, name, type }): Found => ({ did, name: name ?? '', type: type ?? '' })) })
  }

  /** Compare the draft with the rules, and ask for its words; a later draft ends the question of an earlier one. */
  async #judge(wait: number): Promise<void> {
    const [me, account] = [this.#me, this.#signal]
    if (me === undefined || account === undefined) return
    this.#judging.abort()
    this.#judging = new AbortController()
    const signal = AbortSignal.any([this.#judging.signal, account])
    try {
      await pause(wait, signal)
      await this.#findVersions(me, signal)
      const described = this.#described()
      const { problems, document } = await this.#compare(me, described, signal)
      this.#show({ problems, document, isJudged: true })
      const said = { service: [{ type: 'metadata', attributes: described.attributes }, ...described.services] }
      // Names and places of files are not for the marketplace.
      const preview = await previewOf({ ...said, service: withoutFiles(said.service) }, signal)
      this.#show({ preview })
    } catch (error) {
      if (!signal.aborted) this.failed(error)
    }
  }

  #described(): Described {
    return describe(this.#state as PublicationState, this.#versions)
  }

  async #compare(me: SignedIn, { attributes, services, problems }: Described, signal: AbortSignal) {
    const { files = [], ...main } = attributes['main'] as JsonObject
    const scripts = this.#state?.scripts ?? []
    const contents = scripts.map(({ name, content }) => ({
      name,
      contentType: 'x',
      contentLength: String(content.length),
      checksum: '0'.repeat(64),
    }))
    const listed = this.#state?.kind === 'algorithm' ? contents : files
    try {
      const document = await (await this.#publisher(me)).preview(
        { ...attributes, main: { ...main, files: listed } },
        services,
        { signal },
      )
      return { problems, document }
    } catch (error) {
      if (!isInsituError(error)) throw error
      const found = error.problems.length > 0 ? error.problems : [{ pointer: error.pointer, message: error.detail }]
      const more = Object.fromEntries(found.map(({ pointer, message }) => [fieldOf(pointer), message]))
      return { problems: { ...more, ...problems }, document: undefined }
    }
  }

  async #findVersions({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    for (const did of neededVersions(this.#state as PublicationState)) {
      if (this.#versions[did]) continue
      const record = await client.parts.registry.findRecord(did, signal)
      this.#versions[did] = record?.checksum.replace(/^0x/, '') ?? ''
    }
  }

  /** Make the exact document, or find that of an earlier try: its files are sealed or uploaded, and nothing is public. */
  async #prepare(me: SignedIn, signal: AbortSignal): Promise<void> {
    const { kind, scripts } = this.#state as PublicationState
    const { attributes, services } = this.#described()
    this.#show({ now: { message: 'The provider seals the list of files, and the document is made.' } })
    const options = { signal, onProgress: (progress: Progress) => this.#show({ now: progress }) }
    const contents = Object.fromEntries(scripts.map(({ name, content }) => [name, content]))
    const prepared = await (kind === 'algorithm'
      ? (await this.#publisher(me)).prepareAlgorithm(attributes, contents, options)
      : (await this.#publisher(me)).prepare(attributes, services, options))
    this.#show({ prepared, document: prepared.json, now: undefined })
    focusOn(this.#root.querySelector('#exact'))
  }

  async #sign(me: SignedIn, signal: AbortSignal): Promise<void> {
    const { prepared, kind } = this.#state as PublicationState
    if (prepared === undefined) return
    const onProgress = (progress: Progress) => {
      requireShown(progress, prepared.checksum, me)
      this.#show({ now: pendingOf(progress) ?? progress })
    }
    this.#show({ now: { message: 'Your wallet is asked next.' } })
    const [published] = await (await this.#publisher(me)).registerAll([prepared], { signal, onProgress })
    forgetDraft(kind, me.address)
    const reused = published?.reused ?? false
    this.#show({ done: { did: prepared.did, reused, isListed: kind === 'data' }, now: undefined })
    focusOn(this.#root.querySelector('.note.ok a'))
  }

  /** Searches of strangers find algorithms and workflows once their owner says so (ADR 0137). */
  async #list({ client }: SignedIn, signal: AbortSignal): Promise<void> {
    const done = this.#state?.done
    if (done === undefined) return
    const { Desk } = await import('insitu/desk')
    await new Desk(client).setListed(done.did, true, { signal })
    this.#show({ done: { ...done, isListed: true } })
  }
}

/** What is said once it is signed. */
function pendingOf({ step, message }: Progress): { readonly message: string } | undefined {
  const sent = 'Signed. The provider sends it to the chain; it is pending until its block.'
  const said = step === 'send' ? sent : step === 'confirmation' ? message : undefined
  return said === undefined ? undefined : { message: `${said} You may leave: the page finds it again.` }
}

/** Refuse a prompt for another document or account than the page shows. Throws `TermsMismatch`. */
function requireShown({ step, asks }: Progress, checksum: string, { client, address }: SignedIn): void {
  if (step !== 'publication' || asks === undefined || typeof asks === 'string') return
  const { creator, items } = asks.message as unknown as Registrations
  const [item] = items
  const { providerAddress } = client.reading
  const isShown =
    items.length === 1 &&
    sameAddress(creator, address) &&
    item?.checksum === `0x${checksum}` &&
    item.providers.length === 1 &&
    sameAddress(item.providers[0] ?? '', providerAddress)
  if (isShown) return
  throw new InsituError('TermsMismatch', 'the wallet would be asked to register another document than was shown', {
    ...{ kind: 'Conflict', nextStep: 'Nothing was signed. Load the page again.' },
  })
}

interface Registrations {
  readonly creator: string
  readonly items: readonly { readonly checksum: string; readonly providers: readonly string[] }[]
}

function withoutFiles(services: readonly JsonObject[]): JsonObject[] {
  return services.map(entry => {
    const { main, ...rest } = entry['attributes'] as { readonly main: JsonObject }
    return { ...entry, attributes: { ...rest, main: { ...main, files: [] } } }
  })
}
