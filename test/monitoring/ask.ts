/** Asks what watches the shop. */
import { setTimeout as delay } from 'node:timers/promises'
import { spansOf, type ReceivedSpan } from '../otlp-receiver.ts'
import { urls } from './shop.ts'

/** How long something may take until it is seen, in ms. */
export const patience = { timeout: 90_000, interval: 500 }

/**
 * Waits until something is so. Unlike `expect.poll`, it may be used outside of a test.
 * @param what what is waited for
 */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + patience.timeout
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`)
    await delay(patience.interval)
  }
}

const began = Date.now() / 1000
const step = '5s'

async function read(url: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(parameters) })
  const body = await response.text()
  if (!response.ok) throw new Error(`${JSON.stringify(parameters)}: ${body}`)
  return body
}

/** Returns the data of an answer of Prometheus. */
const prometheus = async (path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown> =>
  (JSON.parse(await read(`${urls.prometheus}/api/v1/${path}`, parameters)) as { data: unknown }).data

interface Result {
  result: { metric: Record<string, string> }[]
}

/** Returns the labels of the series that an expression has now. */
export const ask = async (query: string) =>
  ((await prometheus('query', { query })) as Result).result.map(({ metric }) => metric)

/** Whether an expression has had a value at any time since the test began. */
export async function hasHad(query: string): Promise<boolean> {
  const range = { start: String(began), end: String(Date.now() / 1000), step }
  return ((await prometheus('query_range', { query, ...range })) as Result).result.length > 0
}

/** Returns the labels of all series that a selector has had. */
export const seriesOf = async (selector: string) =>
  (await prometheus('series', { 'match[]': selector })) as Record<string, string>[]

/** Waits until an expression has a value. */
export const seen = (query: string) => until(query, async () => (await ask(query)).length > 0)

interface Rule {
  name: string
  query: string
  health: string
  lastError?: string
}

/** Returns the rules as Prometheus evaluates them. */
export async function readRules(): Promise<Rule[]> {
  const response = await fetch(`${urls.prometheus}/api/v1/rules`)
  // as Prometheus has it
  const { data } = (await response.json()) as { data: { groups: { rules: Rule[] }[] } }
  return data.groups.flatMap(({ rules }) => rules)
}

/** Returns the lines of the log that a query finds, with their fields. */
export async function findLines(query: string): Promise<Record<string, string>[]> {
  const found = await read(`${urls.logs}/select/logsql/query`, { query, limit: '100000' })
  return found
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, string>)
}

/** Returns what was posted to a path of the sink. */
const kept = async (path: string) => (await fetch(urls.sink + path)).json()

/** Returns the spans that the collector has passed on. */
export const readSpans = async (): Promise<ReceivedSpan[]> =>
  ((await kept('/v1/traces')) as unknown[]).flatMap(spansOf)

interface Alert {
  status: 'firing' | 'resolved'
  labels: Record<string, string>
}

/** Returns the alerts that have come to the webhook, in the order in which they came. */
const readAlerts = async () =>
  ((await kept('/alerts')) as { alerts: Alert[] }[]).flatMap(({ alerts }) => alerts)

/** Listens to an alert from now on. `labels` are those that it must have. */
export async function listenTo(labels: Readonly<Record<string, string>>) {
  const { length } = await readAlerts()
  /** Whether the webhook has been told. */
  const is = async (status: Alert['status']) =>
    (await readAlerts())
      .slice(length)
      .some(
        (alert) =>
          alert.status === status &&
          Object.entries(labels).every(([name, value]) => alert.labels[name] === value),
      )
  return {
    becomes: (status: Alert['status']) => until(`${status}: ${JSON.stringify(labels)}`, () => is(status)),
  }
}
