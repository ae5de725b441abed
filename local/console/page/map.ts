import type { DeliveryEntry } from '../wire.ts'
import { find, h, s, setText } from './dom.ts'
import { layOut } from './layout.ts'
import type { State } from './state.ts'
import { outcomeOf } from './words.ts'

/** How long a delivery moves, in ms. */
const travelMs = 900
/** The most dots that move at the same time. */
const mostDots = 40

/** Draws the map of events, on which deliveries move. */
export function createMap({ table }: State) {
  const place = find('#map > .scroll')
  const moves = matchMedia('(prefers-reduced-motion: no-preference)')
  const counts = new Map<string, number>()
  const cells = createTable()
  let drawn = draw()
  let width = place.clientWidth
  new ResizeObserver(() => {
    if (place.clientWidth === width) return
    width = place.clientWidth
    drawn = draw()
  }).observe(place)

  return {
    /** Counts a delivery, and shows it if the map is not to hold still: a dot moves. */
    take: (delivery: DeliveryEntry, isMoving: boolean): void => {
      const { reaction, status } = delivery
      const { isGood } = outcomeOf(status)
      const types = delivery.events.length > 0 ? delivery.events : only(reaction)
      for (const [type, count] of types) {
        const key = `${type} ${reaction}`
        counts.set(key, (counts.get(key) ?? 0) + count)
        if (isMoving) drawn.move(type, reaction, isGood)
      }
    },
    /** Shows the numbers of deliveries. */
    update: (): void => {
      for (const [key, cell] of cells) setText(cell, counts.get(key) ?? 0)
    },
  }

  /** The event of a delivery that was too large to be looked at, if its reaction takes one type only. */
  function only(reaction: string): [string, number][] {
    const on = table.functions.find(({ name }) => name === reaction)?.on ?? []
    return on.length === 1 ? [[on[0]!, 1]] : []
  }

  function draw() {
    const map = layOut(table.functions, table.events, place.clientWidth)
    const lines = new Map<string, SVGPathElement>()
    const boxes = new Map<string, SVGGElement>()
    const linesOf = (name: string) =>
      [...lines].flatMap(([key, line]) => (key.split(' ').includes(name) ? [line] : []))
    const line = (kind: string, { from, to, path }: { from: string; to: string; path: string }) => {
      const element = s('path', { class: kind, d: path })
      lines.set(`${from} ${to}`, element)
      return element
    }
    const box = (
      kind: string,
      { name, x, y, width, height }: (typeof map.functions | typeof map.events)[number],
    ) => {
      const element = s(
        'g',
        {
          class: kind,
          pointerenter: () => linesOf(name).forEach((one) => one.classList.add('near')),
          pointerleave: () => linesOf(name).forEach((one) => one.classList.remove('near')),
        },
        s('rect', { x, y, width, height, rx: kind.startsWith('event') ? height / 2 : 4 }),
        s('text', { x: x + width / 2, y: y + height / 2 }, name),
      )
      boxes.set(name, element)
      return element
    }
    const dots = s('g', { class: 'dots' })
    const svg = s(
      'svg',
      {
        viewBox: `0 0 ${map.width} ${map.height}`,
        width: map.width,
        height: map.height,
        role: 'img',
        'aria-label': 'The events of each domain, and the reactions to them. The table below says the same.',
      },
      ...map.domains.map(({ name, x, y, width, height }) =>
        s(
          'g',
          { class: 'domain' },
          s('rect', { x, y, width, height, rx: 8 }),
          s('text', { x: x + 12, y: y + 16 }, name),
        ),
      ),
      ...map.emits.map((one) => line('emits', one)),
      ...map.deliveries.map((one) => line('delivers', one)),
      ...map.functions.map((one) => box(one.isReaction ? 'reaction' : 'operation', one)),
      ...map.events.map((one) => box(one.isScheduled ? 'event scheduled' : 'event', one)),
      dots,
    )
    place.replaceChildren(svg)
    return { move }

    function move(type: string, reaction: string, isGood: boolean) {
      const line = lines.get(`${type} ${reaction}`)
      if (line === undefined) return
      flash(boxes.get(type), 'spoke')
      if (!moves.matches || document.hidden || dots.childElementCount >= mostDots) {
        flash(line, 'used')
        flash(boxes.get(reaction), isGood ? 'handled' : 'failed')
        return
      }
      const dot = s('circle', { r: 4, class: isGood ? '' : 'failed' })
      dots.append(dot)
      const length = line.getTotalLength()
      const began = performance.now()
      const step = (now: number) => {
        const share = Math.min(1, Math.max(0, now - began) / travelMs)
        const { x, y } = line.getPointAtLength(length * share)
        dot.setAttribute('cx', String(x))
        dot.setAttribute('cy', String(y))
        if (share < 1) requestAnimationFrame(step)
        else {
          dot.remove()
          flash(boxes.get(reaction), isGood ? 'handled' : 'failed')
        }
      }
      requestAnimationFrame(step)
    }
  }

  /** Fills the table, and returns the cells with the numbers of deliveries. */
  function createTable() {
    const cells = new Map<string, HTMLElement>()
    find('#map tbody').append(
      ...table.events.map(({ type, summary }) => {
        const names = (list: { name: string }[]) => list.map(({ name }) => name).join(', ') || '–'
        const reactions = table.functions.filter(({ on }) => on.includes(type))
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, type, h('small', {}, summary)),
          h('td', {}, names(table.functions.filter(({ emits }) => emits.includes(type)))),
          h(
            'td',
            {},
            ...reactions.map(({ name }) => {
              const cell = h('b', {}, '0')
              cells.set(`${type} ${name}`, cell)
              return h('span', { class: 'pair' }, `${name} `, cell)
            }),
            reactions.length === 0 && '–',
          ),
        )
      }),
    )
    return cells
  }
}

/** Marks an element for a moment. */
function flash(element: Element | undefined, name: string): void {
  if (element === undefined) return
  element.classList.add(name)
  setTimeout(() => element.classList.remove(name), 600)
}
