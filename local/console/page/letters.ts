import type { Letter } from '../wire.ts'
import { find, findA, h, setChildren, setText, time } from './dom.ts'
import { traceButton } from './trace.ts'
import { messageOf, post } from './post.ts'
import type { State } from './state.ts'
import { age, plural } from './words.ts'

/** Shows dead letters, the outbox and what waits for each reaction. */
export function createLetters() {
  const list = find('#letters .entries')
  const said = find('#letters-state')
  const all = find('#all-letters')
  let number = 0

  find('#replay-all').addEventListener('click', () => void act('/replay', { all: true }))
  find('#drop-all').addEventListener('click', () => {
    void drop(plural(number, 'dead letter'), { all: true })
  })

  async function act(path: '/replay' | '/drop', which: object) {
    try {
      const { count } = await post<{ count: number }>(path, which)
      const [verb, what] =
        path === '/replay'
          ? ['deliver again', 'will be delivered again']
          : ['drop', count === 1 ? 'is dropped' : 'are dropped']
      setText(said, count === 0 ? `There was nothing left to ${verb}.` : `${plural(count, 'event')} ${what}.`)
    } catch (error) {
      setText(said, messageOf(error))
    }
    // the button is gone, together with its letter
    if (!document.activeElement || document.activeElement === document.body) list.focus()
  }

  async function drop(what: string, which: object) {
    if (await confirmed(`Drop ${what}?`)) await act('/drop', which)
  }

  function row(letter: Letter) {
    const { eventId, reaction, type, attempts, error, at, trace } = letter
    const which = { eventId, reaction }
    const about = `${type} for ${reaction}`
    return h(
      'li',
      { class: 'bad' },
      time(at),
      h(
        'span',
        { class: 'what' },
        h('b', {}, `${type} → ${reaction}`),
        ` after ${plural(attempts, 'attempt')}: ${error}`,
      ),
      h(
        'small',
        {},
        `event ${eventId}`,
        trace !== undefined && ' · ',
        trace !== undefined && traceButton(trace),
      ),
      h(
        'span',
        { class: 'buttons' },
        h(
          'button',
          {
            type: 'button',
            'aria-label': `Deliver again: ${about}`,
            click: () => void act('/replay', which),
          },
          'Deliver again',
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'danger',
            'aria-label': `Drop: ${about}`,
            click: () => {
              void drop(about, which)
            },
          },
          'Drop',
        ),
      ),
    )
  }

  return ({ events }: State): void => {
    if (events === undefined) return
    const facts = find('#delivery .facts')
    const waiting = find('#waiting')
    if ('problem' in events) {
      facts.replaceChildren(...fact('The database cannot be read', events.problem))
      waiting.hidden = true
      return
    }
    const { letters, lettersInAll, outbox, scheduled, retrying, lag } = events
    number = lettersInAll
    setChildren(list, letters, ({ eventId, reaction, at }) => `${eventId} ${reaction} ${at}`, row)
    list.hidden = letters.length === 0
    all.hidden = letters.length === 0
    const rest = find('#more-letters')
    rest.hidden = lettersInAll <= letters.length
    setText(rest, `These are the oldest ${letters.length} of ${plural(lettersInAll, 'dead letter')}.`)
    const none = 'There are none.'
    if (letters.length === 0 && said.textContent === '') setText(said, none)
    else if (letters.length > 0 && said.textContent === none) setText(said, '')
    facts.replaceChildren(
      ...fact('not published yet', amount(outbox)),
      ...fact('scheduled for later', plural(scheduled, 'event')),
      ...fact('failed, will be tried again', plural(retrying, 'delivery', 'deliveries')),
      ...fact('dead letters', String(lettersInAll)),
    )
    waiting.hidden = false
    find('#no-lag').hidden = lag.length > 0
    const most = Math.max(10, ...lag.map((one) => one.events))
    find('#delivery .bars').replaceChildren(
      ...lag.map((one) =>
        h(
          'li',
          {},
          h('span', {}, one.reaction),
          h('meter', {
            min: 0,
            max: most,
            value: one.events,
            'aria-label': `Events that wait for ${one.reaction}`,
          }),
          h('span', {}, amount(one)),
        ),
      ),
    )
  }
}

const amount = ({ events, oldestSeconds }: { events: number; oldestSeconds: number }) =>
  events === 0 ? 'no event' : `${plural(events, 'event')}, the oldest for ${age(oldestSeconds)}`

const fact = (name: string, value: string) => [h('dt', {}, name), h('dd', {}, value)]

/** Asks before something is done that cannot be undone. */
function confirmed(question: string): Promise<boolean> {
  const dialog = findA(HTMLDialogElement, '#confirm')
  setText(find('#confirm-title'), question)
  setText(find('#confirm p'), 'What is dropped is never handled. This cannot be undone.')
  return new Promise((resolve) => {
    const end = (event: Event) => {
      if (event.type === 'click' && !(event.target instanceof HTMLButtonElement)) return
      dialog.removeEventListener('click', end)
      dialog.removeEventListener('close', end)
      const isYes = event.target instanceof HTMLButtonElement && event.target.value === 'yes'
      if (dialog.open) dialog.close()
      resolve(isYes)
    }
    dialog.addEventListener('click', end)
    dialog.addEventListener('close', end)
    dialog.showModal()
  })
}
