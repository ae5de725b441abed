import { find, h, setChildren, setText } from './dom.ts'
import { rate, type State } from './state.ts'
import { plural } from './words.ts'

/** Shows the numbers at the top, and the stores that do not work. */
export function createTotals() {
  const values = ['Instances', 'Requests and deliveries', 'Failed', 'Dead letters'].map((name) => {
    const [value, detail] = [h('dd'), h('dd', { class: 'detail' })]
    find('#totals').append(h('div', {}, h('dt', {}, name), value, detail))
    return (text: string, more: string) => {
      setText(value, text)
      setText(detail, more)
    }
  })
  const degraded = find('#degraded')
  return (state: State): void => {
    const all = [...state.functions.values()]
    const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0)
    const running = all.filter(({ ready, starting }) => ready + starting > 0).length
    const answered = sum((one) => one.answered)
    const failed = sum((one) => one.failed)
    const { events } = state
    const letters = events === undefined || 'problem' in events ? undefined : events
    values[0]!(
      String(sum((one) => one.ready + one.starting)),
      `of ${plural(running, 'function')}; ${all.length - running} at zero`,
    )
    values[1]!(
      `${rate(state).toFixed(rate(state) < 10 ? 1 : 0)}/s`,
      `${answered.toLocaleString('en')} since the start`,
    )
    values[2]!(
      failed.toLocaleString('en'),
      answered === 0
        ? 'no requests yet'
        : `${((failed / answered) * 100).toFixed(1)} % since the start, without 4xx`,
    )
    values[3]!(
      letters === undefined ? '–' : String(letters.lettersInAll),
      letters === undefined
        ? ''
        : `${plural(letters.retrying, 'delivery', 'deliveries')} will be tried again`,
    )
    degraded.hidden = state.degraded.length === 0
    setChildren(
      degraded,
      state.degraded,
      ({ store, reason }) => `${store} ${reason}`,
      ({ store, reason }) => h('li', {}, `${store} does not work: ${reason}`),
    )
  }
}
