/** Every state of the page of receipts. */
import type { VerifiedReceipt } from 'insitu/verify'
import { h, replaceChildren } from '../../elements/dom.js'
import type { Checked } from './read.js'
import { type ReceiptsState, receiptsView } from './view.js'

const HOSTILE = '<img src=x onerror=alert(1)>\u202egnp.exe\u200b'
const PROVIDER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
const CONSUMER = '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65'
const DID = 'did:nv:a324fad8612fb9f2cf461e3a473224e76002a10df8054e01f24aa67573a47221'
type Predicate = VerifiedReceipt['statement']['predicate']

/** Only what the page shows of a receipt; whether receipts hold is tested with real ones. */
function holds(change: object): Checked {
  const at = (seconds: string) => `2026-11-30T00:58:${seconds}Z`
  const usage = { wallSeconds: 1.36, peakMemoryBytes: 239_000_000 }
  const predicate = {
    workflowExecutionId: 'wx6kj3ievwg4rn23f7l4clgzj7ls',
    number: 0,
    workflowDid: DID,
    agreement: {
      serviceAgreementId: '05'.repeat(32),
      chainId: 31337,
      contract: PROVIDER,
      terms: { consumer: CONSUMER },
    },
    stages: [{ index: 0, inputs: [{ did: DID }], usage }],
    policy: { verdict: { allowed: true }, output: { maxBytes: 1_000_000, maxFiles: 10, types: ['csv', 'png'] } },
    phases: [
      { phase: 'Registered', at: at('51.14') },
      { phase: 'Succeeded', at: at('53.95') },
    ],
    outcome: 'Succeeded',
    output: { files: 5, bytes: 26_798, resultDid: DID },
    charge: { rule: 'full', amount: 10n * 10n ** 18n },
    software: {
      name: 'insitu',
      version: '0.1.0',
      runtime: 'runc 1.1.5',
      enforcement: { network: 'namespace', memory: 'cgroup' },
    },
    parameters: { 0: { 'longest-delay': 600 } },
    ...change,
  } as unknown as Predicate
  const found = {
    signer: PROVIDER,
    receiptHash: `0x${'80'.repeat(32)}`,
    checked: [],
    statement: { predicate },
  } as unknown as VerifiedReceipt
  const checked = [
    'the signature is valid',
    'the payload is canonical',
    'the provider of the agreement signed it',
    'a check of a later version',
  ]
  return { kind: 'holds', name: 'receipt.json', found, checked, text: '{}' }
}

const base: ReceiptsState = { chainId: 31337, token: { symbol: 'NVM', decimals: 18 } }
const refused = (why: string): ReceiptsState => ({
  ...base,
  checked: { kind: 'refused', name: HOSTILE, why, next: 'Choose another file.' },
})
const nothing = { output: undefined, charge: { rule: 'ifNoneSucceeds', amount: 0n } }
const STATES: Readonly<Record<string, ReceiptsState>> = {
  'nothing chosen': base,
  'a file above the page': { ...base, isOver: true },
  checking: { ...base, isReading: true },
  'not text': refused('The file is not text.'),
  hostile: refused(HOSTILE),
  succeeded: { ...base, checked: holds({}) },
  failed: {
    ...base,
    checked: holds({ ...nothing, outcome: 'Failed', reason: { code: 'AlgorithmFailed', message: HOSTILE } }),
  },
  stopped: { ...base, checked: holds({ ...nothing, outcome: 'Stopped', parameters: { 0: { [HOSTILE]: HOSTILE } } }) },
  'of another chain': { ...base, chainId: 1, checked: holds({}) },
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [
    name,
    () => {
      const host = h('div', { class: 'page' })
      replaceChildren(host, ...receiptsView(state))
      return host
    },
  ]),
)
