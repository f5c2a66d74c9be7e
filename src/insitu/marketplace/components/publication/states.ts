/** Every state of the page of a publication. */
import { InsituError, type JsonObject } from 'insitu/domain'
import type { Folder } from 'insitu/publish'
import { h, replaceChildren } from '../../elements/dom.js'
import { welcomeView } from '../../elements/personal.js'
import type { Preview } from './preview.js'
import type { Kind, PublicationState } from './state.js'
import { publicationView } from './view.js'

const OWNER = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const HOSTILE = '<img src=x onerror=alert(1)>\u202egnp.exe'
const did = (digits: string) => `did:nv:${digits.repeat(32)}`
const image = { image: 'insitu/python', tag: '3', checksum: `sha256:${'ab'.repeat(32)}` }
const server = { serverId: 'demo', price: `2${'0'.repeat(18)}`, cpu: '1', memory: '1500mb', disk: '500mb' }

function state(kind: Kind, change: Partial<PublicationState> = {}): PublicationState {
  return {
    ...{ kind, heading: 'Publish', step: 'describe', address: OWNER, gateway: 'http://127.0.0.1:8030' },
    ...{ gateways: ['http://127.0.0.1:8030'], wanted: 'http://127.0.0.1:8030' },
    ...{ token: { symbol: 'NVM', decimals: 18 }, offered: { images: [image], servers: [server] } },
    ...{ values: {}, files: [], scripts: [], folder: undefined, found: [], problems: {}, isJudged: true },
    ...{ preview: undefined, document: undefined, prepared: undefined },
    ...change,
  }
}

const file = (name: string, size: number) => ({
  ...{ name, kind: 'file', path: `/srv/data/2013/${name}`, size, url: `file:///srv/data/2013/${name}` },
})
const folder = {
  path: '/srv/data/2013',
  files: [
    { name: 'months', kind: 'folder', path: '/srv/data/2013/months', url: 'file:///srv/data/2013/months/' },
    file('departures.csv', 33_300_000),
    file(`${'long-name-'.repeat(20)}.csv`, 12),
    { name: HOSTILE, kind: 'file', size: 3, problem: 'has control, formatting, unassigned or odd blank characters' },
    { name: 'link', kind: 'other', problem: 'is a symbolic link, which is not followed' },
  ],
  next: 'link',
} as Folder
const files = [
  { url: 'file:///srv/data/2013/departures.csv', name: 'departures.csv', isFolder: false, size: 33_300_000 },
  { url: 'file:///srv/data/2013/months/', name: 'months', isFolder: true },
]
const preview: Preview = {
  names: { [did('1f')]: 'Delay by weather' },
  gate: {
    run: { head: '1 algorithm', detail: 'in one exact version' },
    leave: { head: 'csv', detail: '100 kB in 3 files at most; no log' },
    costs: { head: '5 NVM', detail: 'plus server, 2 NVM' },
  },
  rules: {
    inside: [
      [
        { kind: 'strong', text: '2 algorithms' },
        ': ',
        { kind: 'asset', did: did('1f') },
        ', ',
        { kind: 'asset', did: did('2f') },
      ],
      ['Only ', { kind: 'account', address: OWNER }, ' may buy.'],
      ['May be used for: ', { kind: 'quoted', text: HOSTILE }],
    ],
    leaving: [[{ kind: 'strong', text: 'csv files' }, ', 100 kB in 3 files at most.'], ['No person reads it first.']],
  },
  costs: {
    summary: 'A failed run costs nothing now.',
    outcomes: [{ when: 'succeeds', paid: [{ kind: 'strong', text: '7 NVM' }, ', once'] }],
  },
  graph: null,
}
const graph: Preview['graph'] = {
  ...{
    width: 336,
    height: 144,
    lines: [
      [156, 33, 180, 72],
      [156, 111, 180, 72],
    ],
  },
  boxes: [
    { x: 0, y: 0, what: 'Data set', lines: ['Departures from', 'New York, 2013'] },
    { x: 0, y: 78, what: 'Algorithm', lines: ['Delay by weather'] },
    { x: 180, y: 39, what: 'Stage 0', lines: ['Filtering'] },
  ],
}
const values = {
  ...{ name: 'Departures from New York, 2013', price: '5', description: '# What it is', tags: 'flights' },
  algorithms: did('1f'),
}
const policy = {
  ...{ version: 1, algorithms: [{ did: did('1f'), checksum: 'ab'.repeat(32) }] },
  output: { maxBytes: 100_000, maxFiles: 3, maxLogBytes: 65_536, types: ['.csv'] },
  ...{
    review: 'none',
    logs: 'none',
    maxExecutions: 5,
    consumers: 'any',
    revisions: 'untilSuccess',
    failures: 'charged',
  },
}
const document: JsonObject = {
  id: did('3f'),
  service: [{ type: 'compute', attributes: { main: { policy } } }],
}
const prepared = { did: did('3f'), seed: '0x00', checksum: 'cd'.repeat(32), json: document, key: 'k' } as never
const ready = { values, files, preview, document }
const asks = {
  types: {},
  primaryType: 'Registrations',
  domain: {},
  message: { creator: OWNER, items: [{ checksum: '0xcd' }] },
} as never
const away = new InsituError('PeerUnavailable', 'the gateway does not answer', {
  kind: 'Failure',
  nextStep: 'Try again.',
})
const stranger = new InsituError('CreatorNotAllowed', `file: urls are not allowed for ${OWNER}`, {
  nextStep: 'Ask the operator to list the creator under gateway.creators and the folder under gateway.data_roots.',
})
const problems = {
  name: 'an asset needs a name',
  price: '"ten" is not a decimal number',
  accounts: 'an address is needed',
  algorithms: 'name at least one algorithm, or nothing can run',
  types: 'unknown',
  files: 'choose at least one file or folder',
  servers: 'offer at least one server',
}
const stages = { stages: '2', 'stage0.algorithm': did('1f'), 'stage0.inputs': did('3f'), 'stage1.inputs': 'stage 0' }
const script = { name: HOSTILE, content: new Uint8Array(1200) }

const STATES: Readonly<Record<string, PublicationState>> = {
  'data: nothing is written': state('data', { isJudged: false }),
  'data: one of two providers': state('data', {
    ...{ gateways: ['http://127.0.0.1:8030', HOSTILE], wanted: HOSTILE, isJudged: false },
  }),
  'data: what is missing stands at its field': state('data', { problems }),
  'data: folders not asked for': state('data', { step: 'files', problems }),
  'data: a folder': state('data', { ...ready, step: 'files', folder }),
  'data: an empty folder': state('data', { step: 'files', folder: { path: '/srv/data', files: [] } as Folder }),
  'data: no data roots': state('data', { step: 'files', folder: { path: null, files: [] } as Folder }),
  'data: the account may not look': state('data', { step: 'files', error: stranger }),
  'data: rules': state('data', { ...ready, step: 'rules' }),
  'data: rules that are wrong': state('data', {
    ...ready,
    step: 'rules',
    problems,
    values: { consumers: 'listed', logs: 'live' },
  }),
  'data: publishers': state('data', { ...ready, step: 'rules', values: { run: 'publishers', failures: 'free' } }),
  'data: price': state('data', { ...ready, step: 'price', values: { ...values, server0: 'no' } }),
  'data: price that is wrong': state('data', { step: 'price', problems, values: { price: 'ten' } }),
  'check: not judged yet': state('data', { ...ready, step: 'check', isJudged: false }),
  'check: something is missing': state('data', {
    step: 'check',
    problems: { ...problems, form: 'the context is needed' },
  }),
  'check: it fits': state('data', { ...ready, step: 'check' }),
  'check: the exact document': state('data', { ...ready, step: 'check', prepared }),
  'check: sealing': state('data', {
    ...ready,
    step: 'check',
    now: { message: 'The provider seals the list of files.' },
  }),
  'check: the wallet is asked': state('data', {
    ...ready,
    step: 'check',
    prepared,
    now: { message: 'Your wallet is asked to sign.', asks },
  }),
  'check: pending': state('data', {
    ...ready,
    step: 'check',
    prepared,
    now: { message: 'Signed. It is pending until its block.' },
  }),
  'check: the wallet said no': state('data', {
    ...ready,
    step: 'check',
    prepared,
    error: new InsituError('RejectedByUser', 'no'),
  }),
  'check: the provider is away': state('data', { ...ready, step: 'check', prepared, error: away }),
  'done: data': state('data', { done: { did: did('3f'), reused: false, isListed: true } }),
  'done: published before': state('algorithm', { done: { did: did('3f'), reused: true, isListed: false } }),
  'algorithm: code': state('algorithm', {
    step: 'code',
    scripts: [script],
    values: { name: HOSTILE, entrypoint: 'python3 x' },
  }),
  'algorithm: no file': state('algorithm', {
    step: 'code',
    problems: { script: 'choose at least one file', entrypoint: 'say how' },
  }),
  'algorithm: check': state('algorithm', { ...ready, step: 'check', preview: { ...preview, gate: null, rules: null } }),
  'workflow: stages': state('workflow', {
    ...{ step: 'stages', values: stages, preview: { ...preview, gate: null, graph } },
    found: [
      { did: did('3f'), name: 'Departures', type: 'dataset' },
      { did: did('1f'), name: HOSTILE, type: 'algorithm' },
    ],
    problems: { 'stage1.algorithm': 'name an algorithm by its DID' },
  }),
  'workflow: check': state('workflow', {
    ...ready,
    step: 'check',
    preview: { ...preview, gate: null, rules: null, costs: null, graph },
  }),
}

const actions = { set: () => undefined, chooseScripts: () => undefined }

function page(...children: Parameters<typeof replaceChildren>[1][]): HTMLElement {
  const host = h('insitu-publication' as 'div', { class: 'page' })
  replaceChildren(host, ...children)
  return host
}

export const gallery: Readonly<Record<string, () => Node>> = {
  'signed out': () =>
    page(...welcomeView('Offer a data set', { kind: 'signed-out' }, 'What you publish belongs to your account.')),
  ...Object.fromEntries(
    Object.entries(STATES).map(([name, one]) => [name, () => page(...publicationView(one, actions))]),
  ),
}
