import { board } from '../board.ts'
import { ofFunction } from '../links.ts'
import { fullDisks } from '../disks.ts'
import { nats, pgbouncer, postgres } from '../others.ts'
import { lines, numbers, units } from '../panels.ts'
import { histogram, label, max, quantile, rate, series, share, sum } from '../prometheus.ts'

const queries = (where = {}) => histogram('db.client.operation.duration', 'count', where)
const system = 'db.system.name'

export const stores = () =>
  board({
    uid: 'zeroshop-stores',
    title: 'Stores',
    description: 'PostgreSQL with its pooler, MongoDB, NATS, and their disks.',
    rows: {
      'As the functions see them': [
        lines({
          question: 'How long do queries take?',
          description: 'p50 and p99 by store, with the wait for a connection.',
          unit: units.seconds,
          limits: { warn: 0.1, bad: 1 },
          span: 8,
          queries: {
            'p50 {{db_system_name}}': quantile(0.5, histogram('db.client.operation.duration', 'bucket'), [
              system,
            ]),
            'p99 {{db_system_name}}': quantile(0.99, histogram('db.client.operation.duration', 'bucket'), [
              system,
            ]),
          },
        }),
        lines({
          question: 'Which functions have slow queries?',
          description: 'The five with the largest p95 above 50 ms.',
          unit: units.seconds,
          nothing: 'None.',
          span: 8,
          links: ofFunction(label('service.name')),
          queries: {
            '{{service_name}}': `topk(5, ${quantile(0.95, histogram('db.client.operation.duration', 'bucket'), ['service.name'])} > 0.05)`,
          },
        }),
        lines({
          question: 'What share of queries fails?',
          description: 'By store and error. Conflicts that are retried are among them.',
          unit: units.share,
          limits: { bad: 0.05 },
          span: 8,
          queries: {
            '{{db_system_name}} {{error_type}}': `${sum(rate(queries({ 'error.type': '!=' })), system, 'error.type')} / on (${label(system)}) group_left () (${sum(rate(queries()), system)} > 0)`,
          },
        }),
      ],
      'PostgreSQL and its pooler': [
        numbers({
          question: 'Are they there?',
          description: '1 if the exporter can log in.',
          unit: units.count,
          limits: { bad: 1, isFloor: true },
          span: 4,
          queries: {
            PostgreSQL: max(series(postgres.up)),
            PgBouncer: max(series(pgbouncer.up)),
          },
        }),
        lines({
          question: 'How many connections does PostgreSQL have?',
          description: 'By role. test/connections.test.ts computes how many they may be.',
          unit: units.count,
          isStacked: true,
          span: 10,
          queries: {
            '{{usename}}': `${sum(series(postgres.backends, { datname: 'zeroshop', usename: '!=' }), 'usename')} > 0`,
          },
        }),
        lines({
          question: 'What share of its connections is taken?',
          description: 'Of max_connections. At 1, nobody else gets in.',
          unit: units.share,
          limits: { warn: 0.8, bad: 0.95 },
          max: 1,
          span: 10,
          queries: { taken: `${sum(series(postgres.backends))} / ${max(series(postgres.maxConnections))}` },
        }),
        lines({
          question: 'Do queries wait for a connection?',
          description: 'Clients of the pooler that wait, and those that have one, by role.',
          unit: units.count,
          span: 8,
          queries: {
            '{{user}} waits': `${sum(series(pgbouncer.clientsWaiting), 'user')} > 0`,
            '{{user}} runs': `${sum(series(pgbouncer.clientsActive), 'user')} > 0`,
          },
        }),
        lines({
          question: 'How long has the first of them waited?',
          description: 'The pooler refuses a query that has waited for five seconds.',
          unit: units.seconds,
          limits: { warn: 1, bad: 5 },
          span: 8,
          nothing: 'None waits.',
          queries: { '{{user}}': `${max(series(pgbouncer.longestWait), 'user')} > 0` },
        }),
        lines({
          question: 'How long does the longest transaction last?',
          description: 'A long one keeps rows locked and old versions of rows on the disk.',
          unit: units.seconds,
          limits: { warn: 30, bad: 300 },
          span: 8,
          queries: {
            '{{usename}}': `${max(series(postgres.longestTransaction, { datname: 'zeroshop', usename: '!=' }), 'usename')} > 0`,
          },
        }),
        lines({
          question: 'How many transactions does it commit?',
          description: 'Each second, and those that were rolled back.',
          unit: units.transactions,
          span: 8,
          queries: {
            committed: sum(rate(series(postgres.commits, { datname: 'zeroshop' }))),
            'rolled back': sum(rate(series(postgres.rollbacks, { datname: 'zeroshop' }))),
          },
        }),
        lines({
          question: 'Does it read from memory?',
          description: 'The share of blocks that it found in its cache.',
          unit: units.share,
          limits: { bad: 0.9, warn: 0.98, isFloor: true },
          max: 1,
          span: 8,
          queries: {
            cached: share(
              sum(rate(series(postgres.blocksHit, { datname: 'zeroshop' }))),
              `${sum(rate(series(postgres.blocksHit, { datname: 'zeroshop' })))} + ${sum(rate(series(postgres.blocksRead, { datname: 'zeroshop' })))}`,
            ),
          },
        }),
        lines({
          question: 'How large is the database?',
          description: 'On the disk, with indexes.',
          unit: units.bytes,
          span: 8,
          queries: { zeroshop: max(series(postgres.size, { datname: 'zeroshop' })) },
        }),
      ],
      'NATS and disks': [
        lines({
          question: 'How many messages pass through NATS?',
          description: 'Each second: published to it, and delivered by it.',
          unit: units.messages,
          span: 8,
          queries: {
            in: sum(rate(series(nats.messagesIn))),
            out: sum(rate(series(nats.messagesOut))),
          },
        }),
        lines({
          question: 'How full is JetStream?',
          description: 'Of what it may store. At 1 it takes no events, and the outbox keeps them.',
          unit: units.share,
          limits: { warn: 0.7, bad: 0.9 },
          max: 1,
          span: 8,
          queries: { full: `${max(series(nats.storage))} / ${max(series(nats.maxStorage))}` },
        }),
        lines({
          question: 'What waits in JetStream?',
          description: 'Events of each consumer that were not delivered, or not acknowledged yet.',
          unit: units.count,
          span: 8,
          links: ofFunction('consumer_name'),
          nothing: 'Nothing.',
          queries: {
            '{{consumer_name}}': `${max(series(nats.pending), 'consumer_name')} > 0`,
            '{{consumer_name}} under way': `${max(series(nats.unacknowledged), 'consumer_name')} > 0`,
          },
        }),
        lines({
          question: 'How full are the disks?',
          description:
            'The volume of each store, in Compose by where it is mounted, on a cluster by its claim.',
          unit: units.share,
          limits: { warn: 0.8, bad: 0.9 },
          max: 1,
          span: 24,
          queries: fullDisks,
        }),
      ],
    },
  })
