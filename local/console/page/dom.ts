import { clock } from './words.ts'

type Value = string | number | boolean | undefined | ((event: Event) => void)
type Child = Node | string | number | undefined | false

/** Creates an HTML element. A function among the attributes listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children)
}

/** Creates an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children)
}

function fill<E extends Element>(element: E, attributes: Record<string, Value>, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  element.append(
    ...children.flatMap((child) => {
      if (child === undefined || child === false) return []
      return [typeof child === 'number' ? String(child) : child]
    }),
  )
  return element
}

/** Creates an element that says when something happened. @param at in ms since 1970 */
export const time = (at: number) => h('time', { datetime: new Date(at).toISOString() }, clock(at))

/** Returns the element of the page that a selector finds. */
export function find(selector: string): HTMLElement {
  return findA(HTMLElement, selector)
}

/** Returns an element of a kind. */
export function findA<E extends Element>(kind: new () => E, selector: string): E {
  const element = document.querySelector(selector)
  if (!(element instanceof kind)) throw new Error(`The page has no ${selector}`)
  return element
}

/** Sets a text, unless it is there already, so that assistive technology is told of changes only. */
export function setText(element: Element, text: string | number): void {
  const value = String(text)
  if (element.textContent !== value) element.textContent = value
}

/** Makes the children of an element those of the items. Elements of items that stay are kept, and so is the focus. */
export function setChildren<T>(
  parent: Element,
  items: readonly T[],
  keyOf: (item: T) => string,
  make: (item: T) => Element,
): void {
  const known = made.get(parent) ?? new Map<string, Element>()
  const next = new Map<string, Element>()
  for (const item of items) {
    const key = keyOf(item)
    next.set(key, known.get(key) ?? make(item))
  }
  for (const [key, element] of known) if (!next.has(key)) element.remove()
  let place = parent.firstElementChild
  for (const element of next.values())
    if (element === place) place = place.nextElementSibling
    else parent.insertBefore(element, place)
  made.set(parent, next)
}

const made = new WeakMap<Element, Map<string, Element>>()
