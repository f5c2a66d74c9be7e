/** Every state of the page of an execution. */
import type { AgreementView, ExecutionView, ResultFile } from 'insitu'
import { InsituError } from 'insitu'
import { h, replaceChildren } from '../../elements/dom.js'
import type { Line } from '../log/lines.js'
import { logGallery } from '../log/states.js'
import type { ExecutionState, Result } from './state.js'
import { executionView } from './view.js'

const BEGAN = Date.parse('2026-11-30T00:58:51.140Z')
const at = (milliseconds: number) => new Date(BEGAN + milliseconds).toISOString()
const AGREEMENT = '052117076fa8c8ff75ae5407c46483e4b46f3665b914da9a3596243bd541f17f'
const WORKFLOW = 'did:nv:a324fad8612fb9f2cf461e3a473224e76002a10df8054e01f24aa67573a47221'
const FLIGHTS = 'did:nv:052143603a5778ec580b32295c33855f685f8f883be3c7f353bd154ecc80bceb'
const WEATHER = 'did:nv:7996e4c7de45ce559c7b38b14356b9b83a31e5df3080dbe24eba4d43e6f71d22'
const NVM = 10n ** 18n

const history: ExecutionView['history'] = [
  { sequence: 0, phase: 'Registered', at: at(0) },
  { sequence: 1, phase: 'Configuring', at: at(3), stage: 0, attempt: 1 },
  { sequence: 2, phase: 'Executing', at: at(52), stage: 0, attempt: 1 },
  { sequence: 3, phase: 'Configuring', at: at(1492), stage: 1, attempt: 1 },
  { sequence: 4, phase: 'Executing', at: at(1508), stage: 1, attempt: 1 },
  { sequence: 5, phase: 'Reviewing', at: at(2778) },
  { sequence: 6, phase: 'Publishing', at: at(2784) },
  { sequence: 7, phase: 'Succeeded', at: at(2812) },
]
const stage = { state: 'ended', attempt: 1, image: 'insitu/pandas:3.11', stageType: 'Filtering' } as const
const usage = { cpuSeconds: 1.36, peakMemoryBytes: 239e6, limits: {}, unavailable: {} }

const succeeded: ExecutionView = {
  serviceAgreementId: AGREEMENT,
  workflowExecutionId: 'wx6kj3ievwg4rn23f7l4clgzj7ls',
  number: 0,
  consumer: '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65',
  did: FLIGHTS,
  workflowDid: WORKFLOW,
  phase: 'Succeeded',
  position: 0,
  createdAt: at(0),
  startedAt: at(3),
  endedAt: at(2812),
  history,
  stages: [
    { ...stage, index: 0, usage },
    { ...stage, index: 1, usage: { ...usage, cpuSeconds: 1.18, peakMemoryBytes: 177e6 } },
  ],
  names: { [WORKFLOW]: 'Delay by weather, New York 2013', [FLIGHTS]: 'Departures' },
  resultDid: 'did:nv:6996e4c7de45ce559c7b38b14356b9b83a31e5df3080dbe24eba4d43e6f71d21',
  leftOut: 0,
  charge: 10n * NVM,
  settled: true,
  role: 'consumer',
  actions: ['logs', 'receipt', 'result'],
}

const agreement: AgreementView = {
  serviceAgreementId: AGREEMENT,
  status: 'settled',
  consumer: succeeded.consumer,
  did: FLIGHTS,
  workflowDid: WORKFLOW,
  versions: {},
  endsAt: at(86_400_000),
  executions: 1,
  executionsLeft: 99,
  price: 10n * NVM,
  charged: 10n * NVM,
  returned: 0n,
}

const file = (index: number, name: string, size: number): ResultFile => ({
  index,
  name,
  size,
  contentType: 'text/plain',
  sha256: `${index}`.padStart(2, '0').repeat(32),
})
const result: Result = {
  files: [
    file(0, 'delay_by_weather.csv', 310),
    file(1, 'pictures/delay_by_weather.png', 26_274),
    file(2, 'logs/stage-0/console.log', 110),
  ],
  expiresAt: at(30 * 86_400_000),
  transfers: { 0: { kind: 'whole' } },
  previews: {},
}
const checked = [
  'the signature is valid',
  'the payload is canonical',
  'the provider of the agreement signed it',
  'a check of a later version',
]

const base: ExecutionState = {
  execution: succeeded,
  agreement,
  token: { symbol: 'NVM', decimals: 18 },
  now: BEGAN + 2400,
  result,
  receipt: { kind: 'holds', checked, rule: 'full' },
  surroundings: {
    data: [
      { did: FLIGHTS, name: 'Departures', bytes: 31_000_000 },
      { did: WEATHER, name: 'Hourly weather', bytes: 2_300_000 },
    ],
    rules: { maxBytes: 1_000_000, maxFiles: 10, types: ['csv', 'png', 'txt', 'log'] },
    algorithms: ['did:nv:6996e4c7de45ce559c7b38b14356b9b83a31e5df3080dbe24eba4d43e6f71d21'],
    longest: 3600,
    server: 'demo: 1 core, 1.5gb',
  },
}

const granted: AgreementView = { ...agreement, status: 'granted', charged: 0n, executions: 1, executionsLeft: 3 }
const { endedAt: _ended, charge: _charge, resultDid: _result, ...begun } = succeeded
const live: ExecutionView = {
  ...begun,
  phase: 'Executing',
  settled: false,
  actions: ['stop', 'logs'],
  history: history.slice(0, 5),
}
const running: ExecutionState = {
  ...base,
  agreement: granted,
  result: undefined,
  receipt: undefined,
  execution: { ...live, phase: 'Executing', history: history.slice(0, 5) },
}
const queued: ExecutionView = { ...live, phase: 'Registered', position: 3, history: history.slice(0, 1) }

function failed(
  code: string,
  message: string,
  nextStep: string,
  phase: 'Failed' | 'Stopped' = 'Failed',
  charge = 0n,
): ExecutionState {
  const end = { sequence: 6, phase, at: at(2784) } as const
  const execution: ExecutionView = {
    ...live,
    phase,
    endedAt: at(2784),
    history: [...history.slice(0, 6), end],
    reason: { code, message, nextStep },
    charge,
    actions: ['receipt'],
  }
  return {
    ...base,
    agreement: granted,
    execution,
    result: undefined,
    receipt: { kind: 'holds', checked, rule: code === 'InfrastructureFailed' ? 'never' : 'ifNoneSucceeds' },
  }
}

const HOSTILE = '<img src=x onerror=alert(1)>\u202egnp.exe\u200b'
const hostile: ExecutionState = {
  ...failed(HOSTILE, HOSTILE, HOSTILE),
  surroundings: {
    data: [{ did: FLIGHTS, name: HOSTILE, bytes: undefined }],
    rules: { maxBytes: undefined, maxFiles: undefined, types: [HOSTILE] },
    algorithms: [],
    longest: undefined,
    server: HOSTILE,
  },
}
const STATES: Readonly<Record<string, ExecutionState>> = {
  queued: { ...running, execution: queued },
  running,
  'running for the first time known': { execution: queued, token: base.token, now: base.now },
  'running, free': { ...running, agreement },
  stopping: { ...running, isStopping: true },
  'provider away': { ...running, isAway: true },
  'stop refused': {
    ...running,
    error: new InsituError('NotConsumer', 'only the consumer can stop it', { nextStep: 'Sign in with its account.' }),
  },
  publishing: {
    ...running,
    execution: {
      ...live,
      phase: 'Publishing',
      history: history.slice(0, 7),
      reason: { code: 'PublishingFailed', message: 'the catalogue is away', nextStep: '' },
    },
  },
  succeeded: base,
  'succeeded, everything on its way': {
    ...base,
    result: undefined,
    receipt: { kind: 'checking' },
    surroundings: undefined,
    agreement: undefined,
  },
  'not settled yet': {
    ...base,
    execution: { ...succeeded, settled: false },
    receipt: { kind: 'waits', checked, rule: 'full' },
  },
  'settlement given up': {
    ...base,
    execution: {
      ...succeeded,
      settled: false,
      alarm: { code: 'TransactionFailed', message: 'the chain refused it', nextStep: '' },
    },
  },
  'downloading and broken': {
    ...base,
    result: {
      ...result,
      transfers: {
        0: { kind: 'flowing', received: 100 },
        1: { kind: 'broken', error: new InsituError('ChecksumMismatch', 'it differs from the published file') },
        2: { kind: 'whole' },
      },
    },
  },
  'result expired': { ...base, result: { files: [], isExpired: true, transfers: {}, previews: {} } },
  'nothing delivered': {
    ...base,
    execution: {
      ...succeeded,
      charge: 0n,
      leftOut: 2,
      reason: { code: 'NothingDelivered', message: '', nextStep: '' },
    },
    agreement: granted,
    result: { ...result, files: [] },
    receipt: { kind: 'holds', checked, rule: 'never' },
  },
  previews: {
    ...base,
    result: {
      ...result,
      previews: {
        0: { kind: 'none', name: 'delay_by_weather.csv', why: 'It is not an image that this browser can read.' },
      },
    },
  },
  'receipt does not hold': {
    ...base,
    receipt: {
      kind: 'broken',
      error: new InsituError('ReceiptInvalid', 'this check failed: the signature is valid', {
        nextStep: 'Keep it, and ask the provider.',
      }),
    },
  },
  'output rejected': failed(
    'OutputRejected',
    "the owner's policy keeps the details",
    'Write fewer, smaller, or other kinds of files.',
  ),
  'algorithm failed': failed(
    'AlgorithmFailed',
    'stage 0 ended with exit code 1',
    'Read the log and correct the script.',
  ),
  'infrastructure failed': failed('InfrastructureFailed', 'the engine was restarted', 'Run again.'),
  'no run left': {
    ...failed('AlgorithmFailed', 'stage 0 ended with exit code 1', ''),
    agreement: { ...granted, executionsLeft: 0 },
  },
  'stopped by you': failed('StoppedByConsumer', 'the consumer stopped it', 'Run again.', 'Stopped'),
  'stopped by an owner': failed('StoppedByOwner', '', 'Ask the owner.', 'Stopped'),
  'seen by an owner': {
    ...base,
    execution: { ...succeeded, role: 'owner', actions: ['logs', 'receipt', 'opening'] },
    agreement: undefined,
    result: undefined,
  },
  hostile,
}

const LINES: readonly Line[] = [
  { stage: 0, text: 'read 336,776 flights and 26,115 hours of weather' },
  { stage: 0, text: 'kept 326,953 departures with a known delay and known weather' },
  { stage: 1, text: 'read 326,953 departures' },
]

function page(state: ExecutionState): Node {
  const host = h('div', { class: 'page' })
  replaceChildren(host, ...executionView(state))
  const kind = !state.execution.actions.includes('logs') ? 'hidden' : state.execution.endedAt ? 'complete' : 'live'
  host
    .querySelector('insitu-place')
    ?.append(logGallery({ kind, lines: LINES, found: undefined, query: '', follow: kind === 'live' }))
  return host
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [name, () => page(state)]),
)

/** For the galleries of lists. */
export const samples = { agreement, granted, succeeded, live, failed, HOSTILE, token: base.token, now: base.now }
