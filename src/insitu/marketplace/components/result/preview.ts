import { h } from '../../elements/dom.js'
import { div, p, span } from '../../elements/parts.js'
import { plain } from '../../elements/words.js'
import { documentOf, tableOf, textOf } from './document.js'

/** What a preview is made of. `url` is a document that this page made: without scripts, and of no origin. */
export type Preview =
  | {
      readonly kind: 'document'
      readonly name: string
      readonly url: string
      readonly width?: number
      readonly height?: number
      readonly note: string
    }
  | { readonly kind: 'none'; readonly name: string; readonly why: string }

/** The most bytes of a file that are shown. */
const MOST = { text: 256 * 1024, image: 8 * 1024 * 1024 }
/** The most pixels of an image: a small file can be a large picture. */
const PIXELS = 32_000_000

const KINDS = {
  csv: 'table',
  tsv: 'table',
  txt: 'text',
  log: 'text',
  md: 'text',
  json: 'text',
  png: 'image',
  jpg: 'image',
  jpeg: 'image',
} as const

interface Named {
  readonly name: string
  readonly size: number
}

/** Return how a file can be shown, by its name; undefined if it cannot. */
export function kindOf({ name }: Named): 'table' | 'text' | 'image' | undefined {
  return KINDS[(/\.([a-z0-9]+)$/i.exec(name)?.[1] ?? '').toLowerCase() as keyof typeof KINDS]
}

/** Return whether a file can be shown: of a kind that is known, and not too large. */
export function isShowable(file: Named): boolean {
  const kind = kindOf(file)
  return kind !== undefined && file.size <= (kind === 'image' ? MOST.image : 64 * MOST.text)
}

/** Make the preview of a file in this page. */
export async function previewOf(file: Named, content: Blob): Promise<Preview> {
  const { name } = file
  const kind = kindOf(file)
  if (kind === undefined) return { kind: 'none', name, why: 'There is no preview of this kind of file.' }
  if (kind === 'image') return imageOf(name, content)
  const text = new TextDecoder().decode(await content.slice(0, MOST.text).arrayBuffer())
  const isCut = content.size > MOST.text
  const { body, note } =
    kind === 'table' ? tableOf(text, /\.tsv$/i.test(name) ? '\t' : ',', isCut) : textOf(text, isCut)
  return { kind: 'document', name, url: urlOf(documentOf(name, 'file', body)), note }
}

async function imageOf(name: string, content: Blob): Promise<Preview> {
  const none = (why: string): Preview => ({ kind: 'none', name, why })
  const view = new DataView(await content.arrayBuffer())
  const size = pngSize(view) ?? jpegSize(view)
  if (size === undefined) return none('The name says that it is an image, and its bytes do not.')
  const { type, width, height } = size
  // Before it is decoded: that is what takes the memory.
  if (width * height > PIXELS) return none(`The image has ${width} × ${height} points, too many to show here.`)
  const image = new Blob([content], { type })
  const decoded = await createImageBitmap(image).catch(() => undefined)
  if (decoded === undefined) return none('It is not an image that this browser can read.')
  decoded.close()
  const body = [
    'img',
    { src: await dataUrlOf(image), alt: name, width: String(width), height: String(height) },
  ] as const
  return {
    kind: 'document',
    name,
    url: urlOf(documentOf(name, 'picture', [body])),
    width,
    height,
    note: `${width} × ${height} points`,
  }
}

interface Size {
  readonly type: string
  readonly width: number
  readonly height: number
}

/** The header of a PNG begins with its size. */
function pngSize(view: DataView): Size | undefined {
  if (view.byteLength < 24 || view.getUint32(0) !== 0x89504e47 || view.getUint32(12) !== 0x49484452) return undefined
  return { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) }
}

/** A JPEG has its size in the header of its frame, behind other segments. */
function jpegSize(view: DataView): Size | undefined {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return undefined
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { type: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
  }
  return undefined
}

function dataUrlOf(content: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(content)
  })
}

function urlOf(html: string): string {
  return URL.createObjectURL(new Blob([html], { type: 'text/html;charset=utf-8' }))
}

/** Forget what a preview holds. */
export function forget(preview: Preview | undefined): void {
  if (preview?.kind === 'document') URL.revokeObjectURL(preview.url)
}

/** Return a preview as a figure. What is in the frame can run no script and reach no page, no storage, and no server. */
export function previewView(preview: Preview): HTMLElement {
  const name = plain(preview.name, 200)
  if (preview.kind === 'none') return p('text small', span('mono', name), `: ${preview.why}`)
  const { url, width, height, note } = preview
  const attributes = { src: url, sandbox: '', title: `Preview of ${name}`, referrerpolicy: 'no-referrer' }
  const frame = h('iframe', { class: width === undefined ? 'shown' : 'shown picture', ...attributes })
  if (width !== undefined) {
    frame.style.width = `min(100%, ${width}px)`
    frame.style.aspectRatio = `${width} / ${height}`
  }
  const caption = h('figcaption', {}, `${name}, ${note}, shown in a sandbox without scripts`)
  // Its address is its own, so another preview at the same place is another element.
  return h('figure', { id: url.split('/').at(-1) }, width === undefined ? frame : div('plate', frame), caption)
}
