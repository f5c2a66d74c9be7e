/** Every state of the windows about wallets and accounts. */
import { InsituError } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { accountView, chainView, chooserView, problemView } from './view.js'

const nothing = () => undefined
const choosing = { choose: nothing, close: nothing }
const account = { change: nothing, signOut: nothing, close: nothing }
const ICON = 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg"/%3E'.replaceAll('"', '%22')
const wallets = [
  { uuid: 'a', rdns: 'org.example.fox', name: 'Example wallet', icon: ICON },
  { uuid: 'b', rdns: '<img src=x onerror=alert(1)>', name: '<script>alert(1)</script>\\u202egnp', icon: '' },
]
const facts = {
  address: '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65',
  balance: '84 NVM',
  chain: '31337, for development',
  gateway: 'http://127.0.0.1:8030',
  wallet: 'Example wallet',
  isContract: false,
  contracts: {
    chainId: 31337,
    registry: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
    template: '0x5FC8d32690cc91D4c39d9d3abcBD16989F875707',
    token: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
  },
} as const
const refused = new InsituError('RejectedByUser', 'the answer was no')
const locked = new InsituError('ChainUnavailable', 'the wallet did not answer eth_requestAccounts', {
  nextStep: 'Open the wallet: it may be locked. Then ask again.',
})

function shown(...children: readonly Child[]): Node {
  return h('div', { class: 'ask' }, ...children)
}

export const gallery: Readonly<Record<string, () => Node>> = {
  'no wallet': () => shown(...chooserView({ wallets: [] }, choosing)),
  wallets: () => shown(...chooserView({ wallets }, choosing)),
  'wallet asked': () => shown(...chooserView({ wallets, asked: 'a' }, choosing)),
  'wallet refused': () => shown(...chooserView({ wallets, error: refused }, choosing)),
  'wallet locked': () => shown(...chooserView({ wallets, error: locked }, choosing)),
  'other chain': () =>
    shown(...chainView({ present: 1, wanted: 31337, isAsked: false }, { change: nothing, close: nothing })),
  'chain asked': () =>
    shown(...chainView({ present: 1, wanted: 31337, isAsked: true }, { change: nothing, close: nothing })),
  account: () => shown(...accountView(facts, account)),
  'contract account': () => shown(...accountView({ ...facts, isContract: true }, account)),
  'account without facts': () => shown(...accountView({ ...facts, balance: '', contracts: undefined }, account)),
  problem: () => shown(...problemView(locked, nothing)),
}
