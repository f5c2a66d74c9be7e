/** What the page of a run does. */
import { type AccountClient, isInsituError, type Progress } from 'insitu'
import { inputDids, readWorkflow, requireParameters, type Workflow, workflowOf } from 'insitu/domain'
import { numberOf } from 'insitu/domain/workflow'
import { changed, choice, onAccount, resume, type SignedIn, signIn } from '../../elements/account.js'
import { focusOn, replaceChildren } from '../../elements/dom.js'
import { entrypointOf } from '../../elements/interpreters.js'
import { problemOf } from '../../elements/problem.js'
import { keepForm, keptForm, purchaseOf } from './memory.js'
import { algorithmsFor, pin, workflowsFor } from './offers.js'
import { type DataSet, dataSetOf, digestOfPlan, type Form, type Plan, parametersOf, planOf, rulesOf } from './plan.js'
import { isBought, signAndRun } from './purchase.js'
import { doneWith, EMPTY, EMPTY_FORM, type RunState, type Step, stepsFor, waitingFor } from './state.js'
import { runView } from './view.js'

/** An account whose code only delegates still signs with its key (EIP-7702). */
const DELEGATION = '0xef0100'
/** Milliseconds without a change of the form after which it is judged. */
const PAUSE = 300

/** What the page is for. */
export interface Subject {
  readonly gateway: string
  readonly inputs: readonly string[]
  readonly workflow: string
}

/** Runs the page in an element until it is left. */
export class RunController {
  readonly #root: HTMLElement
  readonly #subject: Subject
  readonly #served: readonly Node[]
  #state: RunState
  #client: AccountClient | undefined
  /** The workflow of this page, read for its inputs a moment ago: the first verdict need not read it again. */
  #read: Workflow | undefined
  /** Ends what is asked for the form, what is signed, and everything of an account. */
  #checking = new AbortController()
  #signing = new AbortController()
  #account = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #stop: () => void

  constructor(root: HTMLElement, subject: Subject) {
    this.#root = root
    this.#subject = subject
    this.#served = [...root.childNodes].map(node => node.cloneNode(true))
    const what = subject.workflow ? ({ what: 'workflow', workflow: subject.workflow } as const) : {}
    this.#state = { ...EMPTY, gateway: subject.gateway, form: keptForm(this.#name, { ...EMPTY_FORM, ...what }) }
    this.#stop = onAccount(subject.gateway, now => this.#accountIs(now))
  }

  /** Begin with the account that the tab used before. */
  async start(): Promise<void> {
    this.#show({})
    await this.#try(() => resume(this.#subject.gateway))
  }

  /** The element has left the page. */
  end(): void {
    this.#stop()
    clearTimeout(this.#timer)
    for (const one of [this.#checking, this.#signing, this.#account]) one.abort()
  }

  get #name(): string {
    return [this.#subject.workflow, ...this.#subject.inputs].join(' ')
  }

  #show(change: Partial<RunState>): void {
    this.#state = { ...this.#state, ...change }
    // Without an account there is nothing better to show than what the server knows.
    const served = this.#state.phase === 'no account' ? this.#served.map(node => node.cloneNode(true)) : []
    replaceChildren(this.#root, ...served, ...runView(this.#state, this.#actions))
  }

  readonly #actions = {
    chooseAccount: () => void this.#try(() => signIn(this.#subject.gateway)),
    load: () => void this.#try(() => this.#reload()),
    change: (form: Partial<Form>) => this.#change(form),
    chooseScript: (file: File | undefined) => void this.#chooseScript(file),
    check: () => void this.#check(),
    sign: () => void this.#sign(),
    back: () => this.#back(),
  }

  /** Another account or chain, or none: nothing that was for the one before goes on. */
  #accountIs(now: SignedIn | undefined): void {
    if (now !== undefined && now.client === this.#client) return
    const isSigning = this.#state.phase === 'signing'
    for (const one of [this.#checking, this.#signing, this.#account]) one.abort(changed())
    this.#account = new AbortController()
    this.#client = now?.client
    const { form, error: said } = this.#state
    // A wallet tells of one change in several steps; what the person is told stays.
    const error = isSigning ? changed() : isChange(said) ? said : undefined
    this.#show({ ...EMPTY, gateway: this.#subject.gateway, form, error })
    if (now !== undefined) void this.#load(now, error)
    // A wallet that changed its account is still connected: go on with it, without asking anybody.
    else if (choice() !== undefined) void this.#try(() => resume(this.#subject.gateway))
  }

  async #reload(): Promise<void> {
    const now = await resume(this.#subject.gateway)
    if (now !== undefined) await this.#load(now, undefined)
  }

  async #load({ client, address }: SignedIn, error: unknown): Promise<void> {
    const { signal } = this.#account
    this.#show({ phase: 'loading', account: address, escrow: client.contracts.template })
    const load = async () => {
      const [inputs, token] = await Promise.all([this.#inputs(client, signal), client.parts.chain.token(signal)])
      signal.throwIfAborted()
      this.#show({ phase: 'form', inputs, token, error })
      // The button that was pressed is gone with what it stood on.
      if (document.activeElement === document.body) focusOn(this.#root.querySelector('#what legend'))
      // What can be chosen instead is not what the visitor waits for.
      await this.#check()
      await this.#offer(client)
    }
    await load().catch(cause => signal.aborted || this.#show({ phase: 'not loaded', error: cause }))
  }

  async #inputs(client: AccountClient, signal: AbortSignal): Promise<readonly DataSet[]> {
    const { workflow, inputs } = this.#subject
    if (workflow) this.#read = workflowOf((await client.assets.show(workflow, { signal })).ddo)
    const dids = this.#read ? inputDids(this.#read) : inputs
    return Promise.all(dids.map(async did => dataSetOf(await client.assets.show(did, { signal }))))
  }

  /** What can be chosen is a help: the page works without it. */
  async #offer(client: AccountClient): Promise<void> {
    const { signal } = this.#account
    const { inputs } = this.#state
    const find = async () => {
      const [workflows, algorithms] = await Promise.all([
        workflowsFor(client, inputs, signal),
        algorithmsFor(client, inputs, signal),
      ])
      const { workflow } = this.#subject
      const isNew = workflow !== '' && !workflows.some(offer => offer.did === workflow)
      const first = isNew ? [{ did: workflow, name: 'The workflow of this page', isOwn: false }] : []
      if (!signal.aborted) this.#show({ workflows: [...first, ...workflows], algorithms })
    }
    await find().catch(() => undefined)
  }

  #change(form: Partial<Form>): void {
    const { phase } = this.#state
    if (phase !== 'form') return
    const next = { ...this.#state.form, ...form }
    keepForm(this.#name, next)
    this.#checking.abort()
    this.#show({ form: next, judgement: { is: 'asked' }, error: undefined, isBought: false, steps: [] })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#check(), PAUSE)
  }

  async #chooseScript(file: File | undefined): Promise<void> {
    if (file === undefined) return this.#change({ script: undefined })
    const content = new Uint8Array(await file.arrayBuffer())
    this.#change({ script: { name: file.name, content }, entrypoint: entrypointOf(file.name) })
  }

  /** Ask for the verdict of what is filled in; a later question ends an earlier one. */
  async #check(): Promise<void> {
    const client = this.#client
    if (client === undefined || this.#state.phase !== 'form') return
    this.#checking.abort()
    this.#checking = new AbortController()
    const signal = AbortSignal.any([this.#checking.signal, this.#account.signal])
    try {
      const plan = await this.#plan(client, signal)
      if (plan === undefined) return this.#show({ judgement: { is: 'open' }, steps: [] })
      this.#show({ judgement: { is: 'asked' } })
      await this.#judge(client, plan, signal)
    } catch (error) {
      if (!signal.aborted) this.#show({ judgement: { is: 'failed', error }, steps: [] })
    }
  }

  async #judge(client: AccountClient, plan: Plan, signal: AbortSignal): Promise<void> {
    const { agreements, parts } = client
    const { workflowDid, described } = plan
    const [verdict, held, code] = await Promise.all([
      workflowDid === undefined
        ? agreements.checkPlanned(described ?? {}, { signal })
        : agreements.check(workflowDid, { signal }),
      parts.chain.tokenNumber(BALANCE, [client.account], signal),
      parts.chain.code(client.account, signal),
    ])
    const isContract = code !== '0x' && !code.startsWith(DELEGATION)
    const allowance = isContract
      ? await parts.chain.tokenNumber(ALLOWANCE, [client.account, client.contracts.template], signal)
      : undefined
    const isDone = verdict.allowed && (await isBought(client, purchaseOf(digestOfPlan(plan, client.account)), signal))
    signal.throwIfAborted()
    const steps = verdict.allowed ? stepsFor(workflowDid !== undefined, verdict.cost.total, isContract) : []
    const needed = isDone ? steps.filter(step => !['publication', 'permit', 'terms'].includes(step.name)) : steps
    const at = Math.floor(Date.now() / 1000)
    this.#show({ judgement: { is: 'known', verdict, at, held, allowance }, steps: needed, isBought: isDone })
  }

  async #plan(client: AccountClient, signal: AbortSignal): Promise<Plan | undefined> {
    const { form, inputs, pinned } = this.#state
    if (form.what === 'algorithm' && form.algorithm !== '' && pinned?.did !== form.algorithm) {
      const now = await pin(client, form.algorithm, signal)
      this.#show({ pinned: now })
    }
    const plan = planOf(form, inputs, this.#state.pinned, client.account)
    if (plan === undefined) return undefined
    const read = plan.workflowDid === this.#subject.workflow ? this.#read : undefined
    this.#read = undefined
    const workflow =
      plan.workflowDid === undefined
        ? readWorkflow(plan.described ?? {})
        : (read ?? workflowOf((await client.assets.show(plan.workflowDid, { signal })).ddo))
    signal.throwIfAborted()
    this.#show({ stages: workflow.stages.map(numberOf) })
    requireParameters(workflow, parametersOf(form), rulesOf(inputs).parameters)
    return plan
  }

  /** Once pressed, nothing of the form can be changed until it ends. */
  async #sign(): Promise<void> {
    const client = this.#client
    const { judgement, phase, form } = this.#state
    if (client === undefined || phase !== 'form' || judgement.is !== 'known' || !judgement.verdict.allowed) return
    const plan = planOf(form, this.#state.inputs, this.#state.pinned, client.account)
    if (plan === undefined) return
    this.#signing = new AbortController()
    const { signal } = this.#signing
    const shown = { plan, verdict: judgement.verdict, parameters: parametersOf(form) }
    this.#show({ phase: 'signing', error: undefined })
    focusOn(this.#root.querySelector('#sign-title'))
    try {
      const { agreementId, executionId } = await signAndRun(client, shown, {
        signal,
        progress: now => this.#progress(now),
        starts: () => this.#show({ steps: waitingFor(this.#state.steps, 'start') }),
      })
      signal.throwIfAborted()
      const execution = `/executions/${agreementId}/${executionId}`
      document.dispatchEvent(new Event('insitu-paid'))
      this.#show({ phase: 'started', execution })
      location.assign(execution)
    } catch (error) {
      if (!signal.aborted) await this.#failed(error)
    }
  }

  #progress({ step, asks }: Progress): void {
    const { steps } = this.#state
    const isRegistering = step === 'send' && steps.some(one => one.name === 'publication' && one.state === 'waiting')
    const name = STEPS[step]
    if (isRegistering) this.#show({ steps: doneWith(steps, 'publication') })
    else if (name !== undefined) this.#show({ steps: waitingFor(steps, name, asks) })
  }

  /** Say what happened; the button lives, and pressing it goes on where this stopped. */
  async #failed(error: unknown): Promise<void> {
    const isNo = isInsituError(error) && error.code === 'RejectedByUser'
    const steps = this.#state.steps.map(
      (step): Step => (isNo && step.state === 'waiting' ? { ...step, state: 'refused' } : step),
    )
    this.#show({ phase: 'form', steps, error: problemOf(error) && error })
    const { isBought: before } = this.#state
    if (!isNo) await this.#check()
    this.#show({ error: problemOf(error) && error, isBought: this.#state.isBought || before })
  }

  /** Stop waiting for the wallet. What it signs afterwards is not used. */
  #back(): void {
    this.#signing.abort(new DOMException('back to the form', 'AbortError'))
    this.#show({ phase: 'form', error: undefined })
    void this.#check()
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (problemOf(error) !== undefined && !isChange(error)) this.#show({ error })
    }
  }
}

function isChange(error: unknown): boolean {
  return isInsituError(error) && error.code === 'AccountChanged'
}

const ALLOWANCE = {
  ...{ contract: 'NeverminedToken', signature: 'allowance(address,address)' },
  returns: ['uint256'],
} as const
const BALANCE = { contract: 'NeverminedToken', signature: 'balanceOf(address)', returns: ['uint256'] } as const

const STEPS: Readonly<Partial<Record<Progress['step'], Step['name']>>> = {
  ...{ 'sign-in': 'sign-in', publication: 'publication' },
  ...{ permit: 'permit', terms: 'terms', send: 'send', grant: 'send' },
}
