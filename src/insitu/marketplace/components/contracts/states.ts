/** Every state of the window about contracts. */
import { type Child, h } from '../../elements/dom.js'
import { contractsView } from './view.js'

const actions = { yes: () => undefined, no: () => undefined }
const registry = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const template = '0x5FC8d32690cc91D4c39d9d3abcBD16989F875707'
const token = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const contracts = {
  chainId: 31337,
  registry,
  template,
  token,
  tokenFacts: { address: token, name: 'Nevermined Token', symbol: 'NVM', decimals: 18 },
} as const
const gateway = 'http://127.0.0.1:8030'
const hostile = { ...contracts.tokenFacts, name: '<img src=x onerror=alert(1)>\u202eMVN', symbol: 'US\u200bDC' }
const before = { registry, template: '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65', token }

function shown(...children: readonly Child[]): Node {
  return h('div', { class: 'ask' }, ...children)
}

export const gallery: Readonly<Record<string, () => Node>> = {
  'first time': () => shown(...contractsView({ contracts, gateway }, actions)),
  'others before': () => shown(...contractsView({ contracts, gateway, before }, actions)),
  'hostile token': () =>
    shown(...contractsView({ contracts: { ...contracts, tokenFacts: hostile }, gateway }, actions)),
}
