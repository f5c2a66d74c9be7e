/** Every question of the development wallet. */
import { type Child, h } from '../../elements/dom.js'
import { approvalView, type Request, roleView } from './view.js'

const actions = { accept: () => undefined, reject: () => undefined }
const address = '0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65'
const message =
  'http://127.0.0.1:8030 wants you to sign in with your Ethereum account:\n0x15d3\n\nURI: http://127.0.0.1:8030'
const permit = {
  primaryType: 'Permit',
  domain: { name: 'Nevermined Token', version: '1', chainId: 31337, verifyingContract: address },
  message: { owner: address, spender: address, value: '10000000000000000000', nonce: '0', deadline: 1796000931 },
}
const terms = {
  ...permit,
  primaryType: 'Terms',
  message: { did: '0xfe24', receivers: [address, address], amounts: ['2', '5'] },
}

function shown(request: Request): Node {
  const state = { request, role: 'consumer', address, origin: 'http://127.0.0.1:8030' }
  return h('div', { class: 'ask' }, ...(approvalView(state, actions) as Child[]))
}

export const gallery: Readonly<Record<string, () => Node>> = {
  connect: () => shown({ kind: 'connect' }),
  'sign in': () => shown({ kind: 'text', text: message }),
  'hostile text': () => shown({ kind: 'text', text: '<b>\u202etxt.exe\u0007</b>' }),
  permit: () => shown({ kind: 'typed data', typedData: permit }),
  terms: () => shown({ kind: 'typed data', typedData: terms }),
  role: () => roleView(['consumer', 'owner', 'second-owner', 'provider'], 'owner', () => undefined),
}
