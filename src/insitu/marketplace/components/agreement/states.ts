/** Every state of the page of an agreement. */
import { InsituError } from 'insitu'
import { h, replaceChildren } from '../../elements/dom.js'
import { samplesOfAgreements } from '../agreements/states.js'
import { samples } from '../execution/states.js'
import { type AgreementState, agreementView } from './view.js'

const { open, ended } = samplesOfAgreements
const [paid, failing, fresh, created] = open
const { token, now, agreement } = samples
const none = { agreement, name: undefined, executions: [] }
const base: AgreementState = { bought: failing ?? none, token, now }
const closing = { status: 'open', charge: 0n, returned: agreement.price, settlement: undefined }
const STATES: Readonly<Record<string, AgreementState>> = {
  paid: { ...base, bought: paid ?? none },
  'two failed': base,
  'nothing ran': { ...base, bought: fresh ?? none },
  'waiting for the grant': { ...base, bought: created ?? none },
  ...Object.fromEntries(ended.map(bought => [bought.name ?? '', { ...base, bought }])),
  'closing returns everything': { ...base, closing },
  'closing costs': { ...base, closing: { ...closing, charge: agreement.price, returned: 0n } },
  'closing is on its way': { ...base, closing: { ...closing, status: 'closing' } },
  'nothing to return': { ...base, bought: paid ?? none, closing: { ...closing, status: 'settled' } },
  revising: {
    ...base,
    revising: 'Your wallet is asked to sign the corrected algorithm. This costs nothing.',
    isBusy: true,
  },
  'revision refused': {
    ...base,
    error: new InsituError('RevisionNotAllowed', 'the owners allow no correction after a success', {
      nextStep: 'Buy again.',
    }),
  },
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [
    name,
    () => {
      const host = h('div', { class: 'page' })
      replaceChildren(host, ...agreementView(state))
      return host
    },
  ]),
)
