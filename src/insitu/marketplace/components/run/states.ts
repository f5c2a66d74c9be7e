/** Every state of the page of a run. */
import { InsituError } from 'insitu'
import { type Policy, readComputeMain } from 'insitu/domain'
import { h } from '../../elements/dom.js'
import type { DataSet, Offer } from './plan.js'
import type { Allowed } from './purchase.js'
import { EMPTY, EMPTY_FORM, type Judgement, type RunState, type Step, stepsFor, waitingFor } from './state.js'
import { runView } from './view.js'

const nothing = () => undefined
const actions = {
  chooseAccount: nothing,
  load: nothing,
  change: nothing,
  chooseScript: nothing,
  check: nothing,
  sign: nothing,
  back: nothing,
}
const CONSUMER = '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65'
const OWNER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const PROVIDER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const ESCROW = '0x5FC8d32690cc91D4c39d9d3abcBD16989F875707'
const TOKEN = { address: ESCROW, name: 'Nevermined Token', symbol: 'NVM', decimals: 18 } as const
const NVM = 10n ** 18n
const did = (digits: string) => `did:nv:${digits.repeat(32)}`
const hex = (digits: string) => `0x${digits.repeat(32)}` as const

function dataSet(number: string, name: string, rules: object): DataSet {
  const server = {
    serverId: 'demo',
    price: String(2n * NVM),
    cpu: '1',
    memory: '1500mb',
    disk: '500mb',
    maxExecutionTime: 3600,
  }
  const image = { image: 'insitu/python', tag: '3', checksum: `sha256:${'ab'.repeat(32)}` }
  const environment = { supportedServers: [server], supportedContainers: [image] }
  const service = readComputeMain({
    price: String(5n * NVM),
    timeout: 86400,
    policy: rules,
    provider: { environment },
  } as never)
  const endpoint = 'http://127.0.0.1:8030/api/v1/gateway/services/exec'
  return { did: did(number), name, owner: OWNER, service, policy: service.policy as Policy, endpoint }
}

const OPEN = {
  algorithms: 'any',
  output: { types: ['.csv', '.png'], maxBytes: 1_000_000, maxFiles: 10 },
  revisions: 'untilSuccess',
}
const departures = dataSet('1f', 'Departures from New York, 2013', OPEN)
const weather = dataSet('2f', 'Hourly weather at the New York airports, 2013', {
  ...OPEN,
  parameters: ['longest-delay', 'smallest-group'],
})
const hostile = dataSet('3f', '<img src=x onerror=alert(1)>\\u202egnp.exe', {
  ...OPEN,
  use: '<script>alert(1)</script> research only',
})

function allowed(total: bigint): Allowed {
  const [receivers, amounts] = total === 0n ? [[], []] : [[PROVIDER, OWNER] as const, [2n * NVM, total - 2n * NVM]]
  const times = { grantTimeout: 600, timeout: 86400, settleTimeout: 4200, lockTimeout: 600 }
  const cost = { server: departures.service.provider.environment.supportedServers[0], amounts, receivers, total, times }
  const quote = {
    ...{ did: departures.did, inputs: [], inputsHash: hex('4a'), workflowDid: '', workflowHash: '', serviceIndex: 4 },
    ...{ provider: PROVIDER, server: { serverId: 'demo' }, price: total, receivers: [], deadlineSeconds: 600 },
    ...{ grantTimeout: 600, timeout: 86400, settleTimeout: 4200 },
  }
  return { allowed: true, reasons: [], quote, cost } as unknown as Allowed
}

const PRICE = 10n * NVM
const AT = 1796000931
const known = (verdict: Allowed, held = 84n * NVM): Judgement => ({ is: 'known', verdict, at: AT, held })
const refused = (code: string, message: string): Judgement => {
  return {
    is: 'known',
    verdict: { allowed: false, reasons: [{ code, did: departures.did, message }] },
    at: AT,
    held: 0n,
  }
}
const offers: readonly Offer[] = [
  { did: did('5f'), name: 'Delay by weather', isOwn: true },
  { did: did('6f'), name: '<b>Filter</b>', isOwn: false },
]
const script = { name: 'stay_length.py', content: new Uint8Array(2100) }
const form: RunState = {
  ...EMPTY,
  ...{
    phase: 'form',
    account: CONSUMER,
    gateway: 'http://127.0.0.1:8030',
    escrow: ESCROW,
    token: TOKEN,
    inputs: [departures],
  },
  ...{ workflows: offers, algorithms: offers, form: { ...EMPTY_FORM, script, entrypoint: 'python3 stay_length.py' } },
}
const ready: RunState = { ...form, judgement: known(allowed(PRICE)), steps: stepsFor(false, PRICE) }
const signing: RunState = { ...ready, phase: 'signing' }
const message = { owner: CONSUMER, spender: ESCROW, value: PRICE, nonce: 0n, deadline: AT }
const domain = { name: 'Nevermined Token', version: '1', chainId: 31337, verifyingContract: ESCROW } as const
const asks = { domain, types: {}, primaryType: 'Permit', message }
const no: Step[] = waitingFor(ready.steps, 'terms').map(step =>
  step.name === 'terms' ? { ...step, state: 'refused' } : step,
)
const gone = new InsituError('PeerUnavailable', '127.0.0.1:8030 does not answer', {
  retry: true,
  nextStep: 'Try again in a moment.',
})

const STATES: Readonly<Record<string, RunState>> = {
  'no account': EMPTY,
  'no account, with an error': { ...EMPTY, error: gone },
  loading: { ...EMPTY, phase: 'loading' },
  'not loaded': { ...EMPTY, phase: 'not loaded', error: gone },
  empty: { ...form, form: EMPTY_FORM },
  asked: { ...form, judgement: { is: 'asked' } },
  'not judged': { ...form, judgement: { is: 'failed', error: gone } },
  allowed: ready,
  'allowed on two data sets': { ...ready, inputs: [weather, departures] },
  'allowed, with parameters': { ...ready, inputs: [weather] },
  'allowed, for an amount of 18 decimals': { ...ready, judgement: known(allowed(12_345_678_901_234_567_891n)) },
  'allowed workflow of two stages': {
    ...ready,
    inputs: [weather],
    stages: [0, 1],
    form: { ...EMPTY_FORM, what: 'workflow', workflow: did('5f') },
  },
  'allowed workflow': {
    ...ready,
    form: { ...EMPTY_FORM, what: 'workflow', workflow: did('5f') },
    steps: stepsFor(true, PRICE),
  },
  'allowed algorithm': { ...ready, form: { ...EMPTY_FORM, what: 'algorithm', algorithm: did('6f') } },
  'allowed for nothing': { ...ready, judgement: known(allowed(0n)), steps: stepsFor(false, 0n) },
  'too little money': { ...ready, judgement: known(allowed(PRICE), NVM) },
  'a contract without an allowance': {
    ...ready,
    judgement: { is: 'known', verdict: allowed(PRICE), at: AT, held: 84n * NVM, allowance: NVM },
    steps: stepsFor(false, PRICE, true),
  },
  'algorithm refused': {
    ...form,
    judgement: refused('AlgorithmNotAllowed', `the policy of ${departures.did} does not allow it`),
  },
  'consumer refused': { ...form, judgement: refused('ConsumerNotAllowed', 'the policy does not list the consumer') },
  'unknown refusal': { ...form, judgement: refused('SomethingNew', '<b>never heard of</b>') },
  'hostile names': { ...ready, inputs: [hostile, departures] },
  'waiting for the sign-in': {
    ...signing,
    steps: waitingFor(ready.steps, 'sign-in', 'http://127.0.0.1:8030 wants you to sign in'),
  },
  'waiting for the permit': { ...signing, steps: waitingFor(ready.steps, 'permit', asks) },
  'the provider sends': { ...signing, steps: waitingFor(ready.steps, 'send') },
  'the person said no': { ...ready, steps: no, error: new InsituError('RejectedByUser', 'the answer was no') },
  'the provider refused': { ...ready, error: gone },
  'bought before the page was loaded again': { ...ready, isBought: true, steps: stepsFor(true, 0n) },
  started: { ...form, phase: 'started', execution: '/executions/1/2' },
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [name, () => h('div', {}, ...runView(state, actions))]),
)
