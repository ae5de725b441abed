import type { Table, Trace, TraceSpan } from '../wire.ts'
import { findA, find, h, s, setText, time } from './dom.ts'
import { clock, duration } from './words.ts'

/** How often an open trace is read again, because its processes send their spans every few seconds, in ms. */
const againMs = 2_000

/** The trace that is open. */
let shown: { id: string } | undefined
let hasTraces = false

/** Prepares the dialog in which traces are shown. */
export function createTrace(table: Table): void {
  hasTraces = table.hasTraces
  find('#trace .close').addEventListener('click', () => findA(HTMLDialogElement, '#trace').close())
  find('#find-trace').addEventListener('submit', (event) => {
    event.preventDefault()
    open(findA(HTMLInputElement, '#find-trace input').value.trim().toLowerCase())
  })
}

/** Returns a button that opens a trace. */
export const traceButton = (id: string) =>
  h('button', { type: 'button', class: 'link', click: () => open(id) }, `trace ${id}`)

function open(id: string) {
  const dialog = findA(HTMLDialogElement, '#trace')
  shown = { id }
  setText(find('#trace-id'), id)
  setText(find('#trace-state'), 'Reading …')
  find('#trace .waterfall').replaceChildren()
  find('#trace .entries').replaceChildren()
  if (!dialog.open) {
    dialog.showModal()
    dialog.addEventListener('close', () => (shown = undefined), { once: true })
  }
  void watch(shown)
}

async function watch(trace: { id: string }) {
  if (shown !== trace) return
  await read(trace)
  setTimeout(() => void watch(trace), againMs)
}

async function read(trace: { id: string }) {
  const found = await fetch(`/_console/traces/${trace.id}`)
    .then((response) => (response.ok ? (response.json() as Promise<Trace>) : undefined))
    .catch(() => undefined)
  if (shown !== trace) return
  if (found === undefined) setText(find('#trace-state'), 'The shop does not answer.')
  else show(found)
}

function show({ spans, logs }: Trace) {
  const [from, to] = [Math.min(...spans.map(({ at }) => at)), Math.max(...spans.map(({ at, ms }) => at + ms))]
  setText(
    find('#trace-state'),
    spans.length === 0
      ? hasTraces
        ? 'Its spans have not arrived yet, or are no longer kept. Processes send them every five seconds.'
        : 'The processes do not send their spans to the console.'
      : `${spans.length} spans in ${duration(to - from)}, from ${clock(from)}`,
  )
  const rows = inOrder(spans).map(({ span, depth }) => row(span, depth, from, Math.max(1, to - from)))
  // so that a link that has the focus keeps it
  const list = find('#trace .waterfall')
  if (list.childElementCount !== rows.length) list.replaceChildren(...rows)
  find('#no-trace-logs').hidden = logs.length > 0
  find('#trace .entries').replaceChildren(
    ...logs.map(({ at, name, level, text }) =>
      h(
        'li',
        { class: level === 'error' ? 'bad' : '' },
        time(at),
        h('span', { class: 'status' }, level),
        h('span', { class: 'what' }, h('b', {}, name), ` ${text}`),
      ),
    ),
  )
}

function row(
  { name, service, at, ms, status, failure, links }: TraceSpan,
  depth: number,
  from: number,
  whole: number,
) {
  const percent = (value: number) => `${((value / whole) * 100).toFixed(2)}%`
  const label = h(
    'span',
    { class: 'step' },
    h('b', {}, name),
    ` ${service}`,
    status !== undefined && ` ${status}`,
    failure !== undefined && h('em', {}, ` ${failure}`),
    ...links.map((id) => h('small', {}, ' see also ', traceButton(id))),
  )
  label.style.setProperty('--depth', String(Math.min(depth, 12)))
  return h(
    'li',
    { class: failure === undefined ? '' : 'bad' },
    label,
    s(
      'svg',
      { 'aria-hidden': 'true', height: 12 },
      s('rect', { x: percent(at - from), y: 1, height: 10, width: percent(ms), rx: 2 }),
    ),
    h('span', { class: 'time' }, `+${duration(at - from)}, ${duration(ms)}`),
  )
}

/** Returns the spans with each below its parent, and how deep it is. */
export function inOrder(spans: readonly TraceSpan[]): { span: TraceSpan; depth: number }[] {
  const ids = new Set(spans.map(({ id }) => id))
  const isRoot = ({ parent }: TraceSpan) => parent === undefined || !ids.has(parent)
  const below = Map.groupBy(spans, (span) => (isRoot(span) ? '' : span.parent!))
  const walk = (id: string, depth: number): { span: TraceSpan; depth: number }[] =>
    (below.get(id) ?? [])
      .toSorted((a, b) => a.at - b.at)
      .flatMap((span) => [{ span, depth }, ...walk(span.id, depth + 1)])
  return walk('', 0)
}
