import type { FunctionState } from '../wire.ts'
import { find, h, s, setChildren, setText } from './dom.ts'
import { steps, type Course } from './spark.ts'
import type { State } from './state.ts'
import { plural } from './words.ts'

const [width, height] = [120, 32]

interface Card {
  element: HTMLLIElement
  update: (state: FunctionState, course: Course) => void
}

/** Shows the functions that run, each with its graph, and the names of all others. */
export function createFunctions() {
  const running = find('#running')
  const atZero = find('#at-zero')
  const cards = new Map<string, Card>()
  return (state: State): void => {
    const all = state.table.functions
    const active = all.filter(({ name }) => state.courses.has(name))
    for (const { name, concurrency, maxScale } of active) {
      const card = cards.get(name) ?? createCard(name, concurrency, maxScale)
      cards.set(name, card)
      const [now, course] = [state.functions.get(name), state.courses.get(name)]
      if (now && course) card.update(now, course)
    }
    setChildren(
      running,
      active,
      ({ name }) => name,
      ({ name }) => cards.get(name)!.element,
    )
    setChildren(
      atZero,
      all.filter(({ name }) => !state.courses.has(name)),
      ({ name }) => name,
      ({ name, summary }) => h('li', { title: summary }, name),
    )
  }
}

function createCard(name: string, capacity: number, maxScale: number): Card {
  const count = h('b')
  const what = h('span')
  const detail = h('p', { class: 'detail' })
  const area = s('path', { class: 'area' })
  const instances = s('path', { class: 'instances' })
  const concurrency = s('path', { class: 'concurrency' })
  const graph = s(
    'svg',
    { viewBox: `0 -1 ${width} ${height + 2}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    area,
    instances,
    concurrency,
  )
  const element = h(
    'li',
    {},
    h('h3', {}, name),
    h('p', { class: 'count', title: `at most ${plural(maxScale, 'instance')}` }, count, ' ', what),
    graph,
    detail,
  )
  return {
    element,
    update(now, course) {
      const { state, ready, starting, stopping, inFlight, queued, answered, failed, panic, restarts } = now
      element.className = state === 'failing' ? 'failing' : ready > 0 ? 'ready' : ''
      setText(count, ready + starting)
      setText(what, wordsFor(now))
      const top = Math.max(2, ...course.instances)
      const steep = steps(course.instances, top, width, height)
      area.setAttribute('d', `${steep}V${height}H0Z`)
      instances.setAttribute('d', steep)
      const most = Math.max(capacity > 0 ? Math.min(capacity, 10) : 10, ...course.concurrency)
      concurrency.setAttribute('d', steps(course.concurrency, most, width, height))
      setText(
        detail,
        [
          `${inFlight + queued} in progress`,
          `${answered.toLocaleString('en')} done`,
          ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : []),
          ...(restarts > 0 ? [plural(restarts, 'crash', 'crashes')] : []),
          ...(panic ? ['in panic mode'] : []),
          ...(stopping > 0 ? [`${stopping} stopping`] : []),
        ].join(' · '),
      )
    },
  }
}

function wordsFor({ state, ready, starting }: FunctionState): string {
  if (state === 'failing') return 'cannot start'
  if (ready === 0 && starting > 0) return 'starting'
  const words = ready + starting === 1 ? 'instance' : 'instances'
  return starting > 0 ? `${words}, ${starting} starting` : words
}
