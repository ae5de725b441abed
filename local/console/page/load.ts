import { find, h, setText } from './dom.ts'
import { messageOf, post } from './post.ts'
import type { State } from './state.ts'

/** Shows a button for each scenario, and how its load is going. */
export function createLoad({ table }: State) {
  const said = find('#load-state')
  const stop = h('button', { type: 'button', click: () => void act('/load/stop', {}) }, 'Stop the load')
  const starts = table.loads.map(({ name, title, about, seconds }) =>
    h(
      'button',
      { type: 'button', click: () => void act('/load', { scenario: name }) },
      h('b', {}, title),
      h('small', {}, `${about}, ${seconds} s`),
    ),
  )
  find('#loads').append(...starts, stop)
  stop.disabled = true

  async function act(path: string, body: object) {
    try {
      await post(path, body)
    } catch (error) {
      setText(said, messageOf(error))
    }
  }

  return ({ load }: State): void => {
    const isRunning = load?.isRunning === true
    const hadFocus =
      document.activeElement === stop || starts.includes(document.activeElement as HTMLButtonElement)
    for (const button of starts) button.disabled = isRunning
    stop.disabled = !isRunning
    if (hadFocus && document.activeElement === document.body) (isRunning ? stop : starts[0])?.focus()
    if (load !== undefined)
      setText(said, isRunning ? (load.said.at(-1) ?? 'Starting …') : load.said.join(' '))
  }
}
