import type { Db } from 'mongodb'
import type { Logger } from 'pino'
import { urlSetting, type Config } from '../functions/shared/process/config.ts'
import type { Service } from '../functions/shared/process/service.ts'
import { mongoVersion, openMongodb } from '../functions/shared/store/mongodb.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import { waitForSchema, waitForVersion } from '../functions/shared/store/schema-version.ts'
import { storeWaitMs } from '../functions/shared/store/wait-for-store.ts'
import { stores } from '../functions/stores.table.ts'
import { connectBroker } from './jetstream.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }
import type { WithOutbox } from './mongodb-outbox.ts'
import { observeOutbox } from './gauges.ts'
import { publishers } from './publish.ts'
import { startRelay } from './relay.ts'

/** The number of its connections to PostgreSQL. */
export const poolSize = 4

/**
 * Starts the relay. Waits up to STORE_WAIT_SECONDS for the stores, their migrations and NATS.
 * @throws UserError if a setting is missing or a store is not available
 */
export async function openRelay(config: Config, log: Logger): Promise<Service> {
  // read first, because what follows waits for the stores
  const redeliverAfterMs = config.number('REDELIVER_AFTER_SECONDS', 30) * 1000
  const replicas = config.number('JETSTREAM_REPLICAS', 1)
  const waitMs = storeWaitMs(config)
  const db = openPostgres(config.need('DATABASE_URL'), {
    name: 'relay',
    max: poolSize - publishers,
    // if a mark is lost, the event is published twice; the inbox ignores the second copy
    durable: false,
  })
  const databases = openSources(config)
  await Promise.all([
    waitForSchema(db.client, { domain: 'events', migrations, waitMs }),
    // the outboxes exist from each domain's first migration on
    ...databases.map(({ domain, setting, db }) =>
      waitForVersion(() => outboxVersion(db, domain), 1, { store: 'MongoDB', setting, domain, waitMs }),
    ),
  ])
  const broker = await connectBroker(config.need('NATS_URL'), { name: 'relay', replicas, waitMs })
  const relay = await startRelay({
    db,
    broker,
    sources: databases.flatMap(({ domain, outboxes, db }) =>
      outboxes.map((name) => ({ domain, collection: db.collection<WithOutbox>(name) })),
    ),
    redeliverAfterMs,
    log,
  })
  observeOutbox(db)
  return {
    checked: Promise.resolve(),
    ping: async () => void (await db.client`select 1`),
    degraded: relay.degraded,
    close: async () => {
      await relay.stop()
      await Promise.all([
        broker.close(),
        db.client.end({ timeout: 5 }),
        ...databases.map(({ close }) => close()),
      ])
    },
  }
}

/** Opens the databases of the domains whose documents have an outbox. Skips a domain whose URL is not set. */
function openSources(config: Config) {
  return stores
    .filter(({ outboxes }) => outboxes.length > 0)
    .flatMap(({ domain, outboxes }) => {
      const setting = urlSetting(domain, 'mongodb')
      const url = config.get(setting)
      return url === undefined
        ? []
        : [{ domain, outboxes, setting, ...openMongodb(url, { setting, name: 'relay' }) }]
    })
}

/**
 * Returns the version of a domain's database. The relay reads only outboxes, which are the same in every version,
 * so it also runs on one whose migrations break earlier versions of the domain's functions.
 */
const outboxVersion = async (db: Db, domain: string) => ({ ...(await mongoVersion(db, domain)), oldest: 0 })
