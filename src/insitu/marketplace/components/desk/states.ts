/** Every state of the desk, and of the window of a new version. */
import type { AssetSummary, ExecutionView } from 'insitu'
import { InsituError } from 'insitu'
import type { DeskFigures } from 'insitu/desk'
import { readDdo } from 'insitu/domain'
import { type Child, h, replaceChildren } from '../../elements/dom.js'
import type { Surroundings } from '../execution/state.js'
import { samples } from '../execution/states.js'
import { missing } from '../executions/states.js'
import { presentOf } from '../publication/present.js'
import type { DeskState, Proof } from './state.js'
import { type VersionState, versionView } from './version-view.js'
import { deskView } from './view.js'

const { succeeded, live, failed, HOSTILE, token, now } = samples
const NVM = 10n ** 18n
const OWNER = '0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc'
const ALGORITHM = 'did:nv:6996e4c7de45ce559c7b38b14356b9b83a31e5df3080dbe24eba4d43e6f71d21'
const CHECKSUM = 'ab'.repeat(32)
const did = (number: number) => `did:nv:${String(number).padStart(2, '0').repeat(32)}`

const named = (one: ExecutionView, name: string, id: string): ExecutionView => ({
  ...one,
  names: { ...one.names, [one.workflowDid]: name, [ALGORITHM]: `${name}, the script` },
  versions: { [ALGORITHM]: CHECKSUM },
  workflowExecutionId: `wx${id.repeat(26)}`,
  role: 'owner',
})
const running = [
  named({ ...live, actions: ['stop'] }, 'Length of stay by ward', 'a'),
  named({ ...live, phase: 'Registered', position: 2, history: [], startedAt: null, actions: ['stop'] }, HOSTILE, 'b'),
]
const rejected = failed('OutputRejected', 'parquet files may not leave', '').execution
const ended = [
  named(succeeded, 'Census by hour', 'c'),
  named(rejected, 'Length of stay by ward', 'd'),
  named(failed('StoppedByOwner', '', '', 'Stopped').execution, HOSTILE, 'e'),
  named(succeeded, 'A gateway that lies', 'f'),
  named(succeeded, 'On its way', 'g'),
]
const holds: Proof = {
  ...{ kind: 'holds', files: 2, bytes: 3400, logBytes: 110, got: 250n * NVM, receipt: {} },
  algorithms: [{ did: ALGORITHM, checksum: CHECKSUM }],
}
const nothing: Proof = { ...holds, files: 0, bytes: 0, logBytes: 0, got: 0n }
const broken: Proof = { kind: 'broken', error: new InsituError('ReceiptInvalid', HOSTILE) }
const proofs = new Map(
  ended.map((one, at) => [
    one.workflowExecutionId,
    [holds, nothing, nothing, broken][at] ?? { ...holds, kind: 'waits' as const },
  ]),
)

const asset = (number: number, name: string, change: Partial<AssetSummary> = {}): AssetSummary => ({
  ...{
    did: did(number),
    state: 'listed',
    checksum: CHECKSUM,
    version: 3,
    updatedAt: '2026-11-30T00:00:00Z',
    reason: '',
    featured: '',
  },
  ...{ name, type: 'dataset', author: '', license: '', price: 250n * NVM, tags: [] },
  ...change,
})
const assets = [
  asset(1, 'Ward stays, example hospital', { pending: CHECKSUM }),
  asset(2, 'Paused'),
  asset(3, 'Paused, what runs is stopped'),
  asset(4, 'Laboratory turnaround', { state: 'pending', version: 0 }),
  asset(5, HOSTILE, { state: 'hidden', reason: HOSTILE }),
  asset(6, 'Ward stays 2019–2022', { state: 'retired' }),
  asset(7, 'Census', { state: 'unlisted', type: 'algorithm', price: 0n }),
]
const figures: DeskFigures = {
  ...{ since: '2026-10-31T00:00:00Z', received: 1500n * NVM, payments: 6, escrow: 500n * NVM, waiting: 2 },
  dataSets: assets
    .slice(0, 6)
    .map((one, at) => ({ did: one.did, paused: at === 1 || at === 2, stopping: at === 2, openAgreements: at })),
}
const surroundings: Surroundings = {
  data: [{ did: did(1), name: 'Ward stays, example hospital', bytes: 31_000_000 }],
  rules: { maxBytes: 100_000, maxFiles: 3, types: ['csv'] },
  ...{ algorithms: [ALGORITHM], longest: 3600, server: undefined },
}
const around = new Map([[live.workflowDid, surroundings]])
const lists = { items: [], hasMore: false, hasMoreAssets: false, missing: [] }
const base: DeskState = {
  ...{ address: OWNER, token, now, figures: new Map(), assets: [], proofs, around, ...lists },
  versions: new Map([[`${ALGORITHM} ${CHECKSUM}`, 2]]),
}
const full: DeskState = {
  ...base,
  items: [...running, ...ended],
  assets,
  figures: new Map([['', figures]]),
  hasMore: true,
}
const STATES: Readonly<Record<string, DeskState>> = {
  asking: {
    ...base,
    items: undefined,
    assets: undefined,
    missing: [{ gateway: 'https://hospital.example', state: 'asking' }],
  },
  'nothing is owned': {
    ...base,
    figures: new Map([['', { ...figures, received: 0n, payments: 0, escrow: 0n, waiting: 0, dataSets: [] }]]),
  },
  full,
  'the runs on one data set': { ...full, reading: did(1) },
  'nothing ran on a data set': { ...full, reading: did(6), items: [], hasMore: false },
  'stopping, pausing': { ...full, doing: { what: running[0]?.workflowExecutionId ?? '', message: '' } },
  'a wallet is asked': {
    ...full,
    doing: { what: did(1), message: 'Your wallet is asked to sign that the catalogue retires it.' },
  },
  'nothing is proved yet': { ...full, proofs: new Map(), around: new Map(), versions: new Map() },
  'gateways that are missing': { ...full, missing, hasMoreAssets: true },
  'the wallet said no': { ...full, error: new InsituError('RejectedByUser', 'no') },
}

const policy = { version: 1, algorithms: 'any', output: { maxBytes: 1000, maxFiles: 3 }, maxExecutions: 5 }
const image = { image: 'insitu/python', tag: '3', checksum: `sha256:${CHECKSUM}` }
const server = { serverId: 'demo', price: String(NVM), cpu: '1', memory: '1500mb', disk: '500mb' }
const environment = { supportedContainers: [image], supportedServers: [server] }
const compute = { name: '', price: String(250n * NVM), timeout: 86_400, provider: { environment }, policy }
const described = { name: 'Ward stays', type: 'dataset', author: '', license: '' }
const form = presentOf(
  readDdo({
    id: did(1),
    service: [
      { type: 'metadata', index: 0, attributes: { main: described } },
      { type: 'compute', index: 1, attributes: { main: compute } },
    ],
  }),
  token,
  { images: [], servers: [] },
)
const shown = { name: 'Ward stays', form, isOffer: true, changes: [] }
const change = { service: 'compute', before: '250000000000000000000', after: '300000000000000000000' }
const VERSIONS: Readonly<Record<string, VersionState>> = {
  'new version': shown,
  'new version, changed': {
    ...{ ...shown, form: { ...form, values: { ...form.values, name: HOSTILE } } },
    changes: [
      { service: 'metadata', path: 'name', before: 'Ward stays', after: HOSTILE },
      { ...change, path: 'price' },
      { service: 'compute', path: 'policy.output.maxFiles', before: undefined, after: 3 },
    ],
  },
  'new version, wrong': {
    ...shown,
    form: { ...form, problems: { maxFiles: '"x" is not a whole number from 1 on' } },
    error: new InsituError('InvalidDocument', HOSTILE, { nextStep: 'Correct it.' }),
  },
  'new version, named algorithms': {
    ...{ ...shown, form: { ...form, values: { ...form.values, run: 'named', algorithms: ALGORITHM } } },
  },
  'new version of an algorithm': { ...shown, isOffer: false },
}

function page(kind: string, ...children: readonly Child[]): Node {
  const host = h('div', { class: kind })
  replaceChildren(host, ...children)
  for (const details of host.querySelectorAll('details')) details.open = true
  return host
}

const none = () => undefined
export const gallery: Readonly<Record<string, () => Node>> = {
  ...Object.fromEntries(Object.entries(STATES).map(([name, state]) => [name, () => page('page', ...deskView(state))])),
  ...Object.fromEntries(
    Object.entries(VERSIONS).map(([name, state]) => [
      name,
      () =>
        page(
          'page',
          h('h1', {}, 'Desk'),
          ...versionView(state, { set: none, chooseScripts: none, sign: none, close: none }),
        ),
    ]),
  ),
}
