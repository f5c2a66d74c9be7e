/** The parts that views are made of, each in one call; the first parameter is a class of the stylesheet. */
import { type Child, h } from './dom.js'

/** A paragraph. */
export function p(kind: string, ...children: readonly Child[]): HTMLElement {
  return h('p', { class: kind || undefined }, ...children)
}

/** A box. */
export function div(kind: string, ...children: readonly Child[]): HTMLElement {
  return h('div', { class: kind || undefined }, ...children)
}

/** A part of a line. */
export function span(kind: string, ...children: readonly Child[]): HTMLElement {
  return h('span', { class: kind || undefined }, ...children)
}

export function b(...children: readonly Child[]): HTMLElement {
  return h('b', {}, ...children)
}

export function code(...children: readonly Child[]): HTMLElement {
  return h('code', {}, ...children)
}

export function small(...children: readonly Child[]): HTMLElement {
  return h('small', {}, ...children)
}

export function a(href: string, ...children: readonly Child[]): HTMLElement {
  return h('a', { href }, ...children)
}

/** A section with its heading; `key` is the id of the heading. */
export function section(key: string, title: string, ...children: readonly Child[]): HTMLElement {
  return h('section', { 'aria-labelledby': key }, h('h2', { id: key }, title), ...children)
}

/** A table that is stacked on a phone: its caption is for readers of screens, and `numbers` names the columns of numbers. */
export function table(
  caption: string,
  heads: readonly (string | HTMLElement)[],
  numbers: readonly string[],
  rows: readonly HTMLElement[],
): HTMLElement {
  const head = heads.map(one =>
    typeof one === 'string' ? h('th', { scope: 'col', class: numbers.includes(one) && 'num' }, one) : one,
  )
  return h(
    'table',
    { class: 'stack' },
    h('caption', { class: 'hide' }, caption),
    h('thead', {}, h('tr', {}, head)),
    h('tbody', {}, rows),
  )
}

/** A button; its controller does `act`. */
export function button(kind: string, act: string, ...children: readonly Child[]): HTMLElement {
  return h('button', { class: kind, type: 'button', 'data-act': act }, ...children)
}

/** A field of a form with its label and, if there is one, a hint; `id` is that of the input. */
export function field(id: string, label: string, hint: string, input: HTMLElement): HTMLElement {
  if (hint) input.setAttribute('aria-describedby', `${id}-hint`)
  const below = hint && h('p', { class: 'hint', id: `${id}-hint` }, hint)
  return h('div', { class: 'field', id: `field-${id}` }, h('label', { for: id }, label), below, input)
}

/** Return what a page says while the provider is away. */
export function awayNote(): HTMLElement {
  return h(
    'div',
    { class: 'note', role: 'status' },
    p('', b('The provider does not answer.'), ' This page tries again by itself, and nothing gets lost.'),
  )
}
