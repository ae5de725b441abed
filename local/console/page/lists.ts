import type { DecisionEntry, DeliveryEntry, LogEntry, RequestEntry } from '../wire.ts'
import { find, findA, h, setChildren, time } from './dom.ts'
import { traceButton } from './trace.ts'
import { isFailure, type State } from './state.ts'
import { duration, outcomeOf } from './words.ts'

/** Shows the lists of what happened, newest first. */
export function createLists() {
  const failedOnly = findA(HTMLInputElement, 'input[name="requests"][value="failed"]')
  return (state: State): void => {
    show('decisions', state.decisions, decision)
    show('requests', failedOnly.checked ? state.failures : state.requests, request)
    show('deliveries', state.deliveries, delivery)
    show('logs', state.logs, logLine)
  }
}

/** Shows a list in its section, or a sentence if it is empty. */
export function show<T extends { n: number }>(
  section: string,
  entries: readonly T[],
  make: (entry: T) => Element,
): void {
  const list = find(`#${section} .entries`)
  find(`#no-${section}`).hidden = entries.length > 0
  list.hidden = entries.length === 0
  setChildren(list, entries, ({ n }) => String(n), make)
}

function decision({ at, name, from, to, reason, stable, short, desired }: DecisionEntry) {
  const numbers =
    stable === undefined
      ? undefined
      : `average ${stable.toFixed(2)} in the stable window, ${short?.toFixed(2)} in the panic window; ${desired} wanted`
  return h(
    'li',
    { class: to > from ? 'up' : 'down' },
    time(at),
    h('span', { class: 'change' }, `${from} → ${to}`),
    h('span', { class: 'what' }, h('b', {}, name), ` ${reason}`),
    numbers !== undefined && h('small', {}, numbers),
  )
}

function request(entry: RequestEntry) {
  const { at, name, method, route, status, ms, id, trace } = entry
  return h(
    'li',
    { class: isFailure(entry) ? 'bad' : '' },
    time(at),
    h('span', { class: 'status' }, status ?? 'left'),
    h('span', { class: 'what' }, h('b', {}, `${method} ${route}`), ` ${name}, ${duration(ms)}`),
    h('small', {}, `request ${id}`, trace !== undefined && ' · ', trace !== undefined && traceButton(trace)),
  )
}

function delivery({ at, reaction, events, status, ms, trace }: DeliveryEntry) {
  const { text, isGood } = outcomeOf(status)
  const types = events.map(([type, count]) => (count === 1 ? type : `${count} × ${type}`)).join(', ')
  return h(
    'li',
    { class: isGood ? '' : 'bad' },
    time(at),
    h('span', { class: 'status' }, status ?? '–'),
    h(
      'span',
      { class: 'what' },
      h('b', {}, `${types || 'several events'} → ${reaction}`),
      ` ${text}, ${duration(ms)}`,
    ),
    trace !== undefined && h('small', {}, traceButton(trace)),
  )
}

function logLine({ at, name, text, isError, trace }: LogEntry) {
  return h(
    'li',
    { class: isError ? 'bad' : '' },
    time(at),
    h('span', { class: 'status' }, isError ? 'error' : 'warning'),
    h('span', { class: 'what' }, h('b', {}, name), ` ${text}`),
    trace !== undefined && h('small', {}, traceButton(trace)),
  )
}
