/**
 * Elements of a page from plain calls, and a way to bring a page to its next state without losing what a person types.
 *
 * No text is ever read as HTML, so a stranger's text stays text, and Trusted Types need no policy.
 */

/** What stands in an element. Strings become text; what is empty is left out. */
export type Child = Node | string | number | false | null | undefined | readonly Child[]

/** What an element has: attributes, properties of fields, and functions that are called, such as `onclick`. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | Handler>>

// biome-ignore lint/suspicious/noExplicitAny: each event has a type of its own, and callers name it
type Handler = (event: any) => unknown

/** Set as properties: their attribute is only what a field begins with. */
const PROPERTIES = ['value', 'checked', 'disabled', 'open']
/** Attributes with an address; only pages and data that scripts made are allowed. */
const ADDRESSES = ['href', 'src', 'action']
/** What a person may have changed since the last view, so a new view leaves it alone. */
const KEPT = ['open']

const handlers = new WeakMap<Element, Record<string, Handler>>()

/**
 * Return a new element.
 *
 * @param attributes - `class`, `id`, …; `true` sets one without a value, `false` and undefined leave it out
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  element.append(...nodesOf(children))
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  return element
}

/** Return a new element of SVG: lengths are attributes, because the policy of pages forbids styles. */
export function svg(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
  element.append(...nodesOf(children))
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  return element
}

function setAttribute(element: Element, name: string, value: Attributes[string]): void {
  if (typeof value === 'function') {
    handlers.set(element, { ...handlers.get(element), [name]: value })
    setHandler(element, name, value)
  } else if (/^on/i.test(name) || name === 'style' || name === 'srcdoc') {
    throw new TypeError(`${name} is code, not an attribute`)
  } else if (PROPERTIES.includes(name) && name in element && value !== undefined) {
    Object.assign(element, { [name]: typeof value === 'number' ? String(value) : value })
  } else if (value !== undefined && value !== false) {
    if (ADDRESSES.includes(name) && !isPicture(element, String(value))) requireAddress(String(value))
    element.setAttribute(name, value === true ? '' : String(value))
  }
}

/** Whether it is a picture written into its address, as wallets announce their icons; no script in it runs in an `img`. */
function isPicture(element: Element, address: string): boolean {
  return element instanceof HTMLImageElement && address.startsWith('data:image/')
}

/** Refuse an address that runs a script. Throws `TypeError`. */
function requireAddress(address: string): void {
  const { protocol } = new URL(address, document.baseURI)
  if (!['http:', 'https:', 'blob:', 'mailto:'].includes(protocol)) throw new TypeError(`${protocol} is no address here`)
}

function setHandler(element: Element, name: string, handler: Handler | null): void {
  Object.assign(element, { [name]: handler })
}

function nodesOf(children: readonly Child[]): (Node | string)[] {
  return children.flatMap(child => {
    if (Array.isArray(child)) return nodesOf(child)
    if (child === undefined || child === null || child === false) return []
    return [child instanceof Node ? child : String(child)]
  })
}

/**
 * Bring what stands in an element to a new state.
 *
 * Elements of the same id, or of the same kind at the same place, stay the same elements, so focus,
 * cursor and scroll positions stay too, and a reader of screens hears only what changed.
 */
export function replaceChildren(parent: ParentNode & Node, ...children: readonly Child[]): void {
  const wanted = document.createDocumentFragment()
  wanted.append(...nodesOf(children))
  wanted.normalize()
  change(parent, wanted)
}

/** What has an id is found by it and stays while others come and go around it; the rest is matched by its place. */
function change(parent: Node, wanted: Node): void {
  const next = [...wanted.childNodes]
  const named = new Map(next.map(node => [nameOf(node), node]))
  for (const old of [...parent.childNodes]) {
    const node = named.get(nameOf(old))
    if (nameOf(old) !== '' && !(node && isSame(old, node))) old.remove()
  }
  let at: ChildNode | null = parent.firstChild
  for (const node of next) {
    const same = sameFrom(at, node)
    if (same === null) {
      if (at !== null && nameOf(at) === '' && nameOf(node) === '') at = removed(at)
      parent.insertBefore(node, at)
    } else {
      while (at !== null && at !== same && nameOf(at) === '') at = removed(at)
      if (at === same) at = same.nextSibling
      else parent.insertBefore(same, at)
      adapt(same, node)
    }
  }
  while (at !== null) at = removed(at)
}

/** Remove a node, and return the one that stood after it. */
function removed(old: ChildNode): ChildNode | null {
  const after = old.nextSibling
  old.remove()
  return after
}

function nameOf(node: Node): string {
  return node instanceof Element ? node.id : ''
}

/** Return what becomes a node: from a place on the part of its name, or without one only what stands at that place. */
function sameFrom(at: ChildNode | null, node: Node): ChildNode | null {
  let old = at
  while (old !== null && !isSame(old, node)) old = nameOf(node) === '' ? null : old.nextSibling
  return old
}

/** A custom element is the same one while it is for the same thing; what stands in it is its own. */
function isSame(old: Node, node: Node): boolean {
  if (old.nodeType !== node.nodeType || old.nodeName !== node.nodeName) return false
  if (!(old instanceof Element && node instanceof Element)) return true
  return old.id === node.id && old.getAttribute('type') === node.getAttribute('type')
}

function adapt(old: Node, node: Node): void {
  if (old instanceof Text && old.data !== (node as Text).data) old.data = (node as Text).data
  if (!(old instanceof Element && node instanceof Element)) return
  for (const { name } of [...old.attributes]) {
    if (!node.hasAttribute(name) && !KEPT.includes(name)) old.removeAttribute(name)
  }
  for (const { name, value } of [...node.attributes]) {
    if (old.getAttribute(name) !== value && !KEPT.includes(name)) old.setAttribute(name, value)
  }
  adaptHandlers(old, node)
  // What stands in the new element moves, and with it what a list of choices has chosen.
  const value = 'value' in node ? String(node.value) : ''
  if (!old.nodeName.includes('-')) change(old, node)
  adaptField(old, node, value)
}

function adaptHandlers(old: Element, node: Element): void {
  const [before, after] = [handlers.get(old) ?? {}, handlers.get(node) ?? {}]
  for (const name of Object.keys(before)) if (!(name in after)) setHandler(old, name, null)
  for (const [name, handler] of Object.entries(after)) setHandler(old, name, handler)
  handlers.set(old, after)
}

function adaptField(old: Element, node: Element, value: string): void {
  if (old instanceof HTMLInputElement && node instanceof HTMLInputElement) {
    if (old.type !== 'file' && old.value !== value) old.value = value
    old.checked = node.checked
  } else if (old instanceof HTMLSelectElement || old instanceof HTMLTextAreaElement) {
    if (old.value !== value) old.value = value
  }
  if ('disabled' in old && 'disabled' in node) old.disabled = node.disabled
}

/** Move the focus to an element and show it, as a new page would. */
export function focusOn(element: HTMLElement | null): void {
  if (element === null) return
  if (element.tabIndex < 0) element.tabIndex = -1
  element.focus()
}
