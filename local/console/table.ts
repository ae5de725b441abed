import { events, functions } from '../../functions/table.ts'
import { scenarios } from '../scenarios.ts'
import type { EventRow, FunctionRow, LoadRow, Table } from './wire.ts'

/** Returns what the page shows of the function table. */
export const tableFor = (windowSeconds: number | undefined, hasTraces: boolean): Table => ({
  hasTraces,
  functions: Object.entries(functions).map(([name, row]): FunctionRow => {
    const { domain, summary, concurrency, maxScale, emits } = row
    const own = 'on' in row ? { on: row.on } : { on: [], route: `${row.method.toUpperCase()} ${row.path}` }
    return { name, domain, summary, concurrency, maxScale, emits, ...own }
  }),
  events: Object.entries(events).map(([type, event]): EventRow => ({
    type,
    domain: event.domain,
    summary: event.summary,
    scheduled: 'scheduled' in event,
  })),
  loads: Object.entries(scenarios).map(([name, { title, about, seconds }]): LoadRow => ({
    name,
    title,
    about,
    seconds,
  })),
  ...(windowSeconds !== undefined && { windowSeconds }),
})
