import type { ServerResponse } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { FunctionReport } from '../activator/report.ts'
import type postgres from 'postgres'
import { openClient } from '../../functions/shared/store/postgres-client.ts'
import { reasonOf } from '../../functions/shared/store/store-errors.ts'
import { readDeliveryState } from './delivery-state.ts'
import { changed, functionStates } from './function-states.ts'
import type { Journal } from './journal.ts'
import { createStreams } from './streams.ts'
import type { Degraded, DeliveryState, FunctionState, LoadState, News } from './wire.ts'

/** How often the pages are told what is new, in ms. */
const everyMs = 500
/** How often the database is read while a page is open, in ms. */
const readMs = 2_000
/** After so much silence, a sign of life is sent, in ms. */
const silentMs = 10_000
/** The most entries of a kind in a message. Under load, the page shows a part of them. */
const most = 60

export interface FeedOptions {
  journal: Journal
  functions: () => Record<string, FunctionReport>
  degraded: () => Degraded[]
  load: () => LoadState | undefined
  /** The URL of the database, with the role `events`. */
  database: string
}

export type Feed = ReturnType<typeof createFeed>

/** Tells the open pages what happens. While none is open, it does nothing and holds no connection. */
export function createFeed({ journal, functions, degraded, load, database }: FeedOptions) {
  const streams = createStreams()
  let sql: postgres.Sql | undefined
  let timers: NodeJS.Timeout[] = []
  let isReading = false
  /** What the pages know. */
  let known: { n: number; functions: Record<string, FunctionState> } & Pick<News, 'degraded' | 'load'>
  let events: DeliveryState | { problem: string } | undefined
  let areEventsNew = false
  let toldAt = 0

  return {
    isFull: streams.isFull,

    /** Sends what happens to a page until it is closed. */
    add(response: ServerResponse): void {
      if (streams.count() === 0) begin()
      else tell()
      streams.add(response, () => {
        if (streams.count() === 0) void pause()
      })
      const { n: _, ...present } = known
      const first: News = {
        at: Date.now(),
        isFirst: true,
        ...present,
        ...journal.since(0),
        ...(events !== undefined && { events }),
      }
      streams.send(first, [response])
    },

    /** Tells the pages at once, for example after they have changed something. */
    async refresh(): Promise<void> {
      if (streams.count() === 0) return
      await read()
      tell()
    },

    /** Uses the pages' connection to the database, or one for this work only. */
    async withDatabase<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
      if (sql !== undefined) return work(sql)
      const own = openDatabase()
      try {
        return await work(own)
      } finally {
        await own.end({ timeout: 5 })
      }
    },

    async close(): Promise<void> {
      streams.close()
      await pause()
    },
  }

  function openDatabase() {
    return openClient(database, {
      setting: 'DATABASE_URL',
      silentMs: 6_000,
      max: 1,
      connect_timeout: 3,
      fetch_types: false,
      connection: { application_name: 'console' },
    })
  }

  function begin() {
    sql = openDatabase()
    known = { n: journal.last(), ...present() }
    timers = [setInterval(tell, everyMs), setInterval(() => void read(), readMs)]
    void read().then(tell)
  }

  async function pause() {
    for (const timer of timers) clearInterval(timer)
    const open = sql
    sql = undefined
    events = undefined
    await open?.end({ timeout: 5 })
  }

  function present() {
    return {
      functions: functionStates(functions(), journal.counts),
      degraded: degraded(),
      load: load() ?? null,
    }
  }

  function tell() {
    const news: News = { at: Date.now() }
    const after = journal.since(known.n)
    for (const list of ['requests', 'deliveries', 'decisions', 'logs'] as const)
      if (after[list].length > 0) Object.assign(news, { [list]: after[list].slice(-most) })
    const now = present()
    const moved = changed(known.functions, now.functions)
    if (moved !== undefined) news.functions = moved
    if (!isDeepStrictEqual(now.degraded, known.degraded)) news.degraded = now.degraded
    if (!isDeepStrictEqual(now.load, known.load)) news.load = now.load
    if (areEventsNew && events !== undefined) news.events = events
    areEventsNew = false
    known = { n: journal.last(), ...now }
    const isNews = Object.keys(news).length > 1
    if (!isNews && news.at - toldAt < silentMs) return
    toldAt = news.at
    streams.send(isNews ? news : undefined)
  }

  /** A read that takes long is not overtaken by another. */
  async function read() {
    if (isReading || sql === undefined) return
    isReading = true
    const reading = sql
    try {
      const found = await readDeliveryState(reading).catch((error: unknown) => ({
        problem: reasonOf(error).reason,
      }))
      // a page may have been opened or closed in the meantime
      if (reading !== sql || isDeepStrictEqual(found, events)) return
      events = found
      areEventsNew = true
    } finally {
      isReading = false
    }
  }
}
