import type { AssetSummary } from 'insitu'
import type { OwnedData } from 'insitu/desk'
import { type Child, h } from '../../elements/dom.js'
import { mark } from '../../elements/figures.js'
import { a, button, p, section, small, table } from '../../elements/parts.js'
import { counted, nameOf, plain, price } from '../../elements/words.js'
import { type DeskState, dataOf } from './state.js'

/** What an owner can do with an asset now, and what follows from it. */
interface Action {
  readonly act: string
  readonly label: string
  readonly consequence: string
}

const ACTIONS: Readonly<Record<string, Action>> = Object.fromEntries(
  [
    [
      'pause',
      'Pause',
      'Nothing new starts, what waits in the queue ends, prices without a charge go back, and nobody finds it. What runs goes on.',
    ],
    [
      'pause-now',
      'Pause and stop what runs',
      'Like a pause, and what runs on it ends at once; nothing of it leaves. This revokes what was allowed.',
    ],
    [
      'resume',
      'Resume',
      'Runs may start again, and it is listed again. Prices that went back stay with their consumers.',
    ],
    ['list', 'List', 'Everybody can find it.'],
    ['unlist', 'Take it off the lists', 'Strangers no longer find it. Anyone who has its DID can still buy it.'],
    ['retire', 'Retire', 'Nobody can buy it any more. What was bought can still run.'],
    ['relist', 'Offer it again', 'The same document is registered as the next version, and can be bought.'],
    [
      'version',
      'New version…',
      'Change the description, and of data the rules and the price. You see the differences before you sign.',
    ],
  ].map(([act = '', label = '', consequence = '']) => [act, { act, label, consequence }]),
)

/** Return what the account offers: its data sets first. */
export function assetsSections(state: DeskState): Child {
  const { assets, hasMoreAssets } = state
  if (assets === undefined) return undefined
  const data = assets.filter(({ type }) => type === 'dataset')
  const others = assets.filter(({ type }) => type !== 'dataset')
  return [
    section(
      'mine',
      'Your data sets',
      data.length === 0
        ? p('text soft', 'This account owns no data set in this catalogue.')
        : assetsTable('Your data sets', data, state),
      p('', h('a', { class: 'btn', href: '/publish' }, 'Offer a data set')),
    ),
    others.length > 0 &&
      section('others', 'Your algorithms and workflows', assetsTable('Your other assets', others, state)),
    hasMoreAssets && p('', button('btn', 'more-assets', 'Show more assets')),
  ]
}

function assetsTable(caption: string, assets: readonly AssetSummary[], state: DeskState): HTMLElement {
  const rows = assets.map(asset => assetRow(asset, state))
  return table(caption, ['Asset', 'State', 'Price', 'Open agreements'], ['Price', 'Open agreements'], rows)
}

function assetRow(asset: AssetSummary, state: DeskState): HTMLElement {
  const { did, version } = asset
  const told = dataOf(state, did)
  const name = nameOf(asset.name, did)
  return h(
    'tr',
    { id: did },
    h(
      'th',
      { scope: 'row', class: 'fullw' },
      a(`/assets/${did}`, name),
      small(version > 0 ? `version ${version}` : 'not registered yet'),
      asset.type === 'dataset' &&
        h('a', { class: 'small', href: `/desk?reading=${did}`, 'aria-label': `Its runs: ${name}` }, 'Its runs'),
      actionsView(asset, told, name, state),
    ),
    h('td', {}, stateMark(asset, told), stateNotes(asset, told)),
    h(
      'td',
      { class: 'num', 'data-l': 'price' },
      asset.state === 'retired' ? 'not sold' : price(asset.price, state.token),
    ),
    h('td', { class: 'num' }, told ? counted(told.openAgreements, 'agreement') : '–'),
  )
}

function stateMark({ state }: AssetSummary, told: OwnedData | undefined): HTMLElement {
  if (told?.paused) return mark('wait', 'Paused')
  const [kind, word] = STATES[state]
  return mark(kind, word)
}

const STATES: Readonly<Record<AssetSummary['state'], readonly ['ok' | 'no' | 'wait' | 'off', string]>> = {
  listed: ['ok', 'Listed'],
  unlisted: ['off', 'Not listed'],
  pending: ['wait', 'Pending'],
  hidden: ['no', 'Hidden'],
  retired: ['off', 'Retired'],
}

function stateNotes({ state, reason, pending }: AssetSummary, told: OwnedData | undefined): Child {
  return [
    told?.stopping && small('what runs is stopped'),
    state === 'pending' && small('waits for the chain'),
    state === 'hidden' &&
      small(`by the catalogue, for everybody to read: ${plain(reason ?? '', 500) || 'no reason given'}`),
    pending && state !== 'pending' && small('a new version waits for the chain'),
  ]
}

function actionsView(asset: AssetSummary, told: OwnedData | undefined, name: string, { doing }: DeskState): Child {
  const acts = actsOf(asset, told)
  if (acts.length === 0) return undefined
  const isBusy = doing?.what === asset.did
  const entries = acts
    .flatMap(act => ACTIONS[act] ?? [])
    .map(({ act, label, consequence }) => {
      const kind = act === 'pause-now' ? 'btn stop' : 'btn'
      const given = { class: kind, type: 'button', 'data-act': act, 'data-did': asset.did, disabled: isBusy }
      return p('row', h('button', { ...given, 'aria-label': `${label}: ${name}` }, label), small(consequence))
    })
  return h(
    'details',
    { class: 'plain' },
    h('summary', { 'aria-label': `Change ${name}` }, 'Change…'),
    isBusy && h('p', { class: 'small', role: 'status' }, doing.message),
    entries,
  )
}

function actsOf({ state, type }: AssetSummary, told: OwnedData | undefined): readonly string[] {
  if (state === 'pending') return []
  if (told?.paused) return told.stopping ? ['resume'] : ['resume', 'pause-now']
  const pauses = type === 'dataset' ? ['pause', 'pause-now'] : []
  if (state === 'retired') return ['relist', ...pauses]
  const lists = { listed: ['unlist'], unlisted: ['list'], hidden: [] }[state]
  return [...pauses, 'version', ...lists, 'retire']
}
