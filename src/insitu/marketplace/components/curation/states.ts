/** Every state of the form of a curator. */
import { InsituError } from 'insitu'
import { h, replaceChildren } from '../../elements/dom.js'
import { samples } from '../execution/states.js'
import { type CurationState, curationView } from './view.js'

const { granted, HOSTILE } = samples
const curator = granted.consumer
const base: CurationState = {
  ...{ curators: [curator], catalogue: 'https://market.example', address: curator, asset: '', decision: 'hide' },
  ...{ reason: '', progress: undefined, error: undefined },
}
const filled = { ...base, asset: `did:nv:${'ab'.repeat(32)}`, reason: HOSTILE }
const STATES: Readonly<Record<string, CurationState>> = {
  'nobody chosen': { ...base, address: undefined },
  'a curator': filled,
  'ends a decision': { ...filled, decision: 'unfeature', reason: '' },
  'not a curator': { ...base, address: `0x${'12'.repeat(20)}` },
  signing: { ...filled, progress: `Your wallet is asked to sign that the catalogue hides ${filled.asset}.` },
  'said no': { ...filled, error: new InsituError('RejectedByUser', 'no') },
  refused: {
    ...{ ...filled, decision: 'feature' },
    error: new InsituError('FeaturedFull', '6 assets are featured already', { nextStep: 'End that for another one.' }),
  },
}

export const gallery: Readonly<Record<string, () => Node>> = Object.fromEntries(
  Object.entries(STATES).map(([name, state]) => [
    name,
    () => {
      const host = h('div', { class: 'page' })
      replaceChildren(host, ...curationView(state, { change: () => undefined, decide: () => undefined }))
      return host
    },
  ]),
)
