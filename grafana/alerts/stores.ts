import type { Alert } from '../alert.ts'
import { fullDisks } from '../disks.ts'
import { nats, pgbouncer, postgres, prometheus } from '../others.ts'
import { histogram, label, max, rate, series, sum } from '../prometheus.ts'

const queries = (where = {}) => rate(histogram('db.client.operation.duration', 'count', where), '2m')
const system = 'db.system.name'
/** What a store answers that works: a conflict is retried, and a duplicate is refused. */
const failed = queries({ 'error.type': '!~|23.*|40.*|11000' })

/** The stores, and what they stand on. */
export const stores: Alert[] = [
  {
    name: 'StoreIsAway',
    severity: 'page',
    expr: [
      `label_replace(${max(series(postgres.up))} == 0, "store", "PostgreSQL", "", "")`,
      `label_replace(${max(series(pgbouncer.up))} == 0, "store", "PgBouncer", "", "")`,
      `label_replace(absent(${nats.connections}) and on () ${series(prometheus.up, { job: 'nats' })} == 1, "store", "NATS", "", "")`,
      `label_replace(${sum(failed, system)} / ${sum(queries(), system)} > 0.5, "store", "$1", "${label(system)}", "(.+)")`,
    ].join(' or '),
    for: '1m',
    summary: '{{ $labels.store }} cannot be reached',
  },
  {
    name: 'PoolerIsExhausted',
    severity: 'page',
    expr: `${max(series(pgbouncer.longestWait), 'user')} > 2`,
    for: '2m',
    summary: 'Queries of {{ $labels.user }} wait {{ $value | humanizeDuration }} for a connection',
  },
  {
    name: 'ConnectionsRunOut',
    severity: 'ticket',
    expr: `${sum(series(postgres.backends))} / ${max(series(postgres.maxConnections))} > 0.9`,
    for: '5m',
    summary: '{{ $value | humanizePercentage }} of PostgreSQL’s connections are taken',
  },
  {
    name: 'DiskFillsUp',
    severity: 'page',
    expr: [...Object.values(fullDisks), `${series(nats.storage)} / ${series(nats.maxStorage)}`]
      .map((share) => `${share} > 0.85`)
      .join(' or '),
    for: '5m',
    summary:
      '{{ or $labels.mountpoint $labels.persistentvolumeclaim "JetStream" }} is {{ $value | humanizePercentage }} full',
  },
  {
    name: 'TargetIsAway',
    severity: 'ticket',
    expr: `${prometheus.up} == 0`,
    for: '5m',
    summary: 'Prometheus cannot reach {{ $labels.job }} at {{ $labels.instance }}',
  },
]
