import { UserError } from '../../functions/shared/process/user-error.ts'
import type { LogLine } from './page/drawing.ts'

/** A series as Prometheus returns it: times are in s. */
export interface Found {
  metric: Readonly<Record<string, string>>
  values: readonly (readonly [time: number, value: string])[]
}

interface Body {
  status: 'success' | 'error'
  error?: string
  data?: { result: { metric: Found['metric']; value?: [number, string]; values?: [number, string][] }[] }
}

export interface Metrics {
  /** Returns the value of each series at a time, in s. */
  at: (query: string, time: number) => Promise<Found[]>
  over: (query: string, time: { start: number; end: number; step: number }) => Promise<Found[]>
}

/** Reads from a Prometheus. Rejects with its complaint if it does not like a query. */
export function metricsFrom(url: string): Metrics {
  const ask = async (path: string, parameters: Record<string, string>): Promise<Found[]> => {
    const response = await get(url, `api/v1/${path}`, parameters)
    const body = (await response.json()) as Body
    if (body.data === undefined) throw new UserError(body.error ?? `Prometheus answered ${response.status}.`)
    return body.data.result.map(({ metric, value, values }) => ({
      metric,
      values: values ?? (value === undefined ? [] : [value]),
    }))
  }
  return {
    at: (query, time) => ask('query', { query, time: String(time) }),
    over: (query, { start, end, step }) =>
      ask('query_range', { query, start: String(start), end: String(end), step: String(step) }),
  }
}

export type Logs = (query: string, time: { start: number; end: number }) => Promise<LogLine[]>

/** Reads the last lines from VictoriaLogs. */
export const logsFrom =
  (url: string, limit = 50): Logs =>
  async (query, { start, end }) => {
    const between = { start: String(start), end: String(end), limit: String(limit) }
    const response = await get(url, 'select/logsql/query', { query, ...between })
    const text = await response.text()
    if (!response.ok) throw new UserError(text)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => lineOf(JSON.parse(line) as Record<string, string>))
      .toSorted((a, b) => b.time - a.time)
  }

/** Fields whose names begin with an underscore are VictoriaLogs' own. */
const lineOf = ({ _time = '', _msg = '', ...fields }: Readonly<Record<string, string>>): LogLine => ({
  time: Date.parse(_time),
  text: _msg,
  labels: Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith('_'))),
})

async function get(url: string, path: string, parameters: Record<string, string>): Promise<Response> {
  const address = new URL(path, url.endsWith('/') ? url : `${url}/`)
  try {
    return await fetch(address, { method: 'POST', body: new URLSearchParams(parameters) })
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
    throw new UserError(`Nothing answers at ${url}${why}.`)
  }
}
