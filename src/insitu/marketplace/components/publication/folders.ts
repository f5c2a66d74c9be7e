/** A browser of the provider's folders: files stay there, and only their places are written, sealed. */
import type { ListedFile } from 'insitu/publish'
import { type Child, h } from '../../elements/dom.js'
import { b, button, code, div, p, small, span } from '../../elements/parts.js'
import { bytes, counted, plain } from '../../elements/words.js'
import type { ChosenFile, PublicationState } from './state.js'

export function foldersView(state: PublicationState): Child {
  const { folder, problems, isJudged, files } = state
  return [
    p(
      'text',
      'Nothing is uploaded. The document holds number, kind and size of the files; names and places are sealed for this provider.',
    ),
    chosenView(files),
    isJudged &&
      problems['files'] !== undefined &&
      h('p', { class: 'st no', id: 'files-problem' }, plain(problems['files'], 300)),
    folder === undefined
      ? [
          p(
            'text',
            'The provider shows its folders to accounts that its settings name, so your wallet signs in. This costs nothing.',
          ),
          p('row', button('btn first', 'look', 'Show the folders of the provider')),
        ]
      : folderView(state),
  ]
}

function chosenView(files: readonly ChosenFile[]): Child {
  if (files.length === 0) return undefined
  const rows = files.map(({ url, name, isFolder, size }) => {
    const what = isFolder ? 'folder, with all that is in it' : size === undefined ? '' : bytes(size)
    const remove = h('button', { class: 'btn end', type: 'button', 'data-act': 'remove', 'data-url': url }, 'Remove')
    remove.setAttribute('aria-label', `Remove ${plain(name, 120)}`)
    return h('li', {}, div('row', b(plain(name, 120)), small(what), remove))
  })
  return h(
    'section',
    { 'aria-labelledby': 'chosen' },
    h('h2', { id: 'chosen' }, `Chosen: ${counted(files.length, 'entry', 'entries')}`),
    h('ul', { class: 'cards dense' }, ...rows),
  )
}

function folderView({ folder, files }: PublicationState): Child {
  const path = folder?.path ?? undefined
  const entries = folder?.files ?? []
  const above = folder?.above
  const title = path === undefined ? 'Folders of the provider' : 'In this folder'
  return h(
    'section',
    { 'aria-labelledby': 'folder' },
    h('h2', { id: 'folder', tabindex: -1 }, title),
    path !== undefined && p('', code(plain(path, 400))),
    p(
      'row',
      path !== undefined && button('btn', 'look', 'All folders'),
      above && h('button', { class: 'btn', type: 'button', 'data-act': 'look', 'data-path': above }, 'One up'),
    ),
    entries.length === 0
      ? p(
          'text',
          path === undefined
            ? 'The provider opens no folder: its settings (gateway.data_roots) name none.'
            : 'The folder is empty, or everything in it is hidden.',
        )
      : h('ul', { class: 'cards dense', 'aria-label': title }, ...entries.map(entry => entryView(entry, files))),
    folder?.next && p('row', h('button', { class: 'btn', type: 'button', 'data-act': 'look-on' }, 'Show more')),
  )
}

function entryView(entry: ListedFile, files: readonly ChosenFile[]): HTMLElement {
  const name = plain(entry.name, 255)
  if (!entry.url) return h('li', {}, name, ' ', small(`Cannot be published: it ${plain(entry.problem ?? '', 200)}.`))
  const isChosen = files.some(({ url }) => url === entry.url)
  const act = (label: string, what: string, more: Record<string, string>) =>
    h('button', { class: 'btn', type: 'button', 'data-act': what, ...more, 'aria-label': `${label} ${name}` }, label)
  const isFolder = entry.kind === 'folder'
  const size = typeof entry.size === 'number' && small(bytes(entry.size))
  const open = isFolder && act('Open', 'look', { 'data-path': entry.path ?? '' })
  const choose = isChosen ? span('st ok', 'chosen') : act('Choose', 'choose', { 'data-url': entry.url })
  return h('li', {}, div('row', isFolder ? b(`${name}/`) : span('', name), size, span('row end', open, choose)))
}
