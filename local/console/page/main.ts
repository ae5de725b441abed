import type { News, Table } from '../wire.ts'
import { find, findA, setText } from './dom.ts'
import { createFunctions } from './functions.ts'
import { createLetters } from './letters.ts'
import { createLists } from './lists.ts'
import { createLoad } from './load.ts'
import { createMap } from './map.ts'
import { createState, sample, take } from './state.ts'
import { createTotals } from './totals.ts'
import { createTrace } from './trace.ts'

/** The pause before a stream that was refused is asked for again, in ms. */
const againMs = 3_000
/** The time between two samples of the graphs, in ms. */
const sampleMs = 500

const connection = find('#connection')
const pause = findA(HTMLButtonElement, '#pause')

async function main() {
  const response = await fetch('/_console/table.json')
  if (!response.ok) throw new Error(`The shop answered ${response.status}.`)
  const state = createState((await response.json()) as Table)
  fit(state.table)
  createTrace(state.table)
  const map = createMap(state)
  const views = [
    createTotals(),
    createFunctions(),
    createLists(),
    createLetters(),
    createLoad(state),
    map.update,
  ]
  let isPaused = false
  let isDrawing = false

  pause.addEventListener('click', () => {
    isPaused = !isPaused
    pause.setAttribute('aria-pressed', String(isPaused))
    draw()
  })
  find('#requests fieldset').addEventListener('change', draw)
  setInterval(() => {
    sample(state)
    draw()
  }, sampleMs)
  connect()

  function draw() {
    if (isDrawing || isPaused || document.hidden) return
    isDrawing = true
    requestAnimationFrame(() => {
      isDrawing = false
      for (const view of views) view(state)
    })
  }

  function connect() {
    const stream = new EventSource('/_console/events')
    stream.addEventListener('open', () => setText(connection, 'Live'))
    stream.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const news = JSON.parse(data) as News
      take(state, news)
      // what happened before is in the list only
      if (!news.isFirst) news.deliveries?.forEach((delivery) => map.take(delivery, !isPaused))
      draw()
    })
    stream.addEventListener('error', () => {
      setText(connection, 'The shop does not answer. Trying again …')
      // otherwise the browser tries again itself
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, againMs)
    })
  }
}

/** In a shop whose functions all run in one process, hides the parts about scaling. */
function fit({ windowSeconds }: Table) {
  if (windowSeconds !== undefined) return setText(find('#stable-window'), windowSeconds)
  for (const part of document.querySelectorAll<HTMLElement>('[data-scaling]')) part.hidden = true
  find('#one-process').hidden = false
}

main().catch((error: unknown) => setText(connection, error instanceof Error ? error.message : String(error)))
