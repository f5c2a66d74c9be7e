/** The words of the page of an asset, as the server says them for a document that is not published yet. */
import { InsituError, type JsonObject } from 'insitu/domain'
import { type Child, h, svg } from '../../elements/dom.js'
import { a, b, div, p, small } from '../../elements/parts.js'
import { address, id, plain } from '../../elements/words.js'

/** A part of a sentence; a text is said by the page itself, the others may hold words of strangers. */
export type Part =
  | string
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'account'; readonly address: string }
  | { readonly kind: 'asset'; readonly did: string }

type Sentence = readonly Part[]
interface Fact {
  readonly head: string
  readonly detail: string
}

/** What `POST /publish/preview` answers. */
export interface Preview {
  readonly names: Readonly<Record<string, string>>
  readonly gate: { readonly run: Fact; readonly leave: Fact; readonly costs: Fact } | null
  readonly rules: { readonly inside: readonly Sentence[]; readonly leaving: readonly Sentence[] } | null
  readonly costs: { readonly summary: string; readonly outcomes: readonly Outcome[] } | null
  readonly graph: Graph | null
}

interface Outcome {
  readonly when: string
  readonly paid: Sentence
}

interface Graph {
  readonly width: number
  readonly height: number
  readonly boxes: readonly {
    readonly x: number
    readonly y: number
    readonly what: string
    readonly lines: readonly string[]
  }[]
  readonly lines: readonly (readonly [number, number, number, number])[]
}

/** Ask for the words of a document. Throws `PeerUnavailable` if the marketplace does not say them. */
export async function previewOf(document: JsonObject, signal: AbortSignal): Promise<Preview> {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json' }
  const answer = await fetch('/publish/preview', { method: 'POST', body: JSON.stringify(document), headers, signal })
  if (answer.ok) return (await answer.json()) as Preview
  throw new InsituError('PeerUnavailable', `the marketplace answers ${answer.status} for the preview`, {
    ...{
      kind: 'Unavailable',
      retry: true,
      nextStep: 'What you wrote is kept. Change something, and it is asked again.',
    },
  })
}

export function gateView({ gate }: Preview): Child {
  if (gate === null) return undefined
  const fact = (label: string, { head, detail }: Fact) =>
    h('div', {}, h('dt', {}, label), h('dd', {}, head, small(detail)))
  const facts = [fact('May run', gate.run), fact('May leave', gate.leave), fact('Costs', gate.costs)]
  return h('dl', { class: 'gate tall' }, facts)
}

export function wallView({ rules, costs, names }: Preview): Child {
  if (rules === null) return undefined
  const list = (title: string, sentences: readonly Sentence[]) =>
    h('div', {}, h('h3', {}, title), h('ul', {}, ...sentences.map(one => h('li', {}, ...sentence(one, names)))))
  const outcomes = costs?.outcomes ?? []
  const rows = outcomes.map(({ when, paid }) =>
    h('tr', {}, h('th', { scope: 'row' }, when), h('td', {}, ...sentence(paid, names))),
  )
  const head = h('tr', {}, h('th', { scope: 'col' }, 'If the run'), h('th', { scope: 'col' }, 'The consumer pays'))
  return [
    div('wall', list('Next to the data', rules.inside), list('May leave', rules.leaving)),
    p('text', costs?.summary),
    rows.length > 0 &&
      h(
        'table',
        {},
        h('caption', { class: 'hide' }, 'What a run costs by how it ends'),
        h('thead', {}, head),
        h('tbody', {}, rows),
      ),
  ]
}

function sentence(parts: Sentence, names: Preview['names']): Child[] {
  return parts.map(part => {
    if (typeof part === 'string') return part
    if (part.kind === 'strong') return b(plain(part.text))
    if (part.kind === 'quoted') return h('q', {}, plain(part.text))
    if (part.kind === 'account') return address(part.address)
    const name = names[part.did]
    return name === undefined ? id(part.did) : a(`/assets/${part.did}`, plain(name, 80))
  })
}

/** The stages of a workflow, drawn as the page of the workflow draws them. */
export function graphView({ graph }: Preview): Child {
  if (graph === null) return undefined
  const [width, height] = [graph.width + 2, graph.height + 2]
  const lines = graph.lines.map(([x1, y1, x2, y2]) =>
    svg('path', { d: `M${x1} ${y1}C${x1 + 14} ${y1} ${x2 - 14} ${y2} ${x2} ${y2}` }),
  )
  const boxes = graph.boxes.flatMap(({ x, y, what, lines: words }) => [
    svg('rect', { x, y, width: 156, height: 66 }),
    svg('text', { class: 'kind', x: x + 10, y: y + 18 }, what),
    ...words.map((line, at) => svg('text', { x: x + 10, y: y + 36 + 18 * at }, plain(line, 40))),
  ])
  const label = 'The stages, and what each reads'
  const drawn = svg(
    'svg',
    { class: 'graph', viewBox: `-1 -1 ${width} ${height}`, width, height, role: 'img', 'aria-label': label },
    ...lines,
    ...boxes,
  )
  return h('div', { class: 'scroll', role: 'region', 'aria-label': 'Drawing of the stages', tabindex: 0 }, drawn)
}
