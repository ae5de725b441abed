import { cpus } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'nats'
import postgres from 'postgres'
import type { Measured } from '../docs/capacity/measured.ts'
import { natsOptions } from '../events/nats-url.ts'
import type { ScaleReport } from '../local/activator/activator.ts'
import type { System } from '../local/system.ts'
import { cpuSeconds, familyCpuSeconds, median } from './harness.ts'

/** The counters of a shop at a moment. All only grow. */
export interface Counters {
  /** The time. */
  seconds: number
  /** The CPU time of each function, service and store, in seconds. */
  cpu: Record<string, number>
  walBytes: number
  transactions: number
  /** Handled events by reaction. */
  handled: Record<string, number>
  tables: Record<string, Record<'inserted' | 'updated' | 'hot' | 'deleted' | 'bytes', number>>
  messages: number
  streamBytes: number
}

/** How much was in use on average. */
export interface Occupancy {
  seconds: number
  /** Calls in flight, by function. */
  calls: Record<string, number>
  /** Connections with an open transaction or a running statement, by role. */
  roles: Record<string, number>
}

/** What does not change with the orders. */
export type Facts = Pick<Measured, 'machine' | 'startMs' | 'vacuum' | 'consumers'>

/** How often the calls in flight are counted, in ms. */
const lookMs = 5

export type Meter = Awaited<ReturnType<typeof openMeter>>

/** Reads what a local shop has used, from /proc, PostgreSQL and JetStream. */
export async function openMeter(system: System) {
  const env = system.environment.ofService('migrate')
  const sql = postgres(String(env['ADMIN_DATABASE_URL']), { max: 1, onnotice: () => {} })
  const nats = await connect(natsOptions(String(system.environment.ofService('relay')['NATS_URL'])))
  const streams = (await nats.jetstreamManager()).streams
  const [{ pid: ownBackend }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`
  const functionsOf = () => Object.entries((system.backend.scale() as ScaleReport).functions)
  const pidOf = (store: string) => system.stores.find(({ name }) => name === store)!.pid!

  function cpu(): Counters['cpu'] {
    const used: Counters['cpu'] = {
      nats: cpuSeconds(pidOf('nats')),
      // without what this meter asks
      postgres: familyCpuSeconds(pidOf('postgres')) - cpuSeconds(ownBackend),
    }
    for (const { name, pid } of system.backend.processes()) used[name] = cpuSeconds(pid!)
    for (const [name, { instances }] of functionsOf())
      used[name] = instances.reduce((sum, { pid }) => sum + cpuSeconds(pid!), 0)
    return used
  }

  async function tables(): Promise<Counters['tables']> {
    const rows = await sql<{ name: string; counts: Counters['tables'][string] }[]>`
      select schemaname || '.' || relname as name, json_build_object('inserted', n_tup_ins, 'updated', n_tup_upd,
        'hot', n_tup_hot_upd, 'deleted', n_tup_del, 'bytes', pg_total_relation_size(relid)) as counts
      from pg_stat_user_tables order by 1`
    return Object.fromEntries(rows.map(({ name, counts }) => [name, counts]))
  }

  return {
    sql,
    async read(): Promise<Counters> {
      const [totals] = await sql<[{ wal: string; xid: string }]>`
        select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as wal,
          pg_snapshot_xmax(pg_current_snapshot()) as xid`
      const handled = await sql<{ reaction: string; count: number }[]>`
        select reaction, count(*)::int from events.inbox group by 1`
      const { state } = await streams.info('zeroshop')
      return {
        seconds: performance.now() / 1000,
        cpu: cpu(),
        walBytes: Number(totals.wal),
        transactions: Number(totals.xid),
        handled: Object.fromEntries(handled.map(({ reaction, count }) => [reaction, count])),
        tables: await tables(),
        messages: state.last_seq,
        streamBytes: state.bytes,
      }
    },
    async facts(): Promise<Facts> {
      const [settings] = await sql<[Measured['vacuum'] & { version: string }]>`
        select current_setting('autovacuum_vacuum_threshold')::int as threshold,
          current_setting('autovacuum_vacuum_scale_factor')::float as "scaleFactor",
          current_setting('autovacuum_freeze_max_age')::int as "freezeAge", current_setting('server_version') as version`
      const { version, ...vacuum } = settings
      const starts = functionsOf().flatMap(([, { instances }]) =>
        instances.map(({ startMs }) => startMs ?? 0),
      )
      return {
        machine: `${cpus().length} × ${cpus()[0]!.model}, Node.js ${process.versions.node}, PostgreSQL ${version}`,
        startMs: median(starts),
        vacuum,
        consumers: (await streams.info('zeroshop')).state.consumer_count,
      }
    },
    /** Looks again and again while work runs. */
    async occupancy(work: () => Promise<void>): Promise<Occupancy> {
      const calls: Record<string, number> = {}
      const roles: Record<string, number> = {}
      let looks = 0
      const stopping = new AbortController()
      const looking = (async () => {
        for (; !stopping.signal.aborted; looks++) {
          await pause(lookMs)
          for (const [name, { concurrency }] of functionsOf())
            calls[name] = (calls[name] ?? 0) + concurrency.inFlight
          const busy = await sql<{ role: string; count: number }[]>`
            select usename as role, count(*)::int from pg_stat_activity
            where state <> 'idle' and pid <> pg_backend_pid() and usename is not null group by 1`
          for (const { role, count } of busy) roles[role] = (roles[role] ?? 0) + count
        }
      })()
      const began = performance.now()
      try {
        await work()
      } finally {
        stopping.abort()
        await looking
      }
      const mean = (sums: Record<string, number>) =>
        Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / looks]))
      return { seconds: (performance.now() - began) / 1000, calls: mean(calls), roles: mean(roles) }
    },
    async close() {
      await Promise.all([sql.end(), nats.close()])
    },
  }
}
