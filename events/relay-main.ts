import { driveOverdue } from '../functions/orders/overdue.ts'
import { openProducts } from '../functions/products/store.ts'
import type { Config } from '../functions/shared/process/config.ts'
import { checkProducts } from '../functions/products/schema-version.ts'
import { storeWaitMs } from '../functions/shared/store/wait-for-store.ts'
import { checkSchema } from '../functions/shared/store/schema-version.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import type { Service } from '../functions/shared/process/service.ts'
import type { Logger } from 'pino'
import { connectBroker } from './jetstream.ts'
import { startRelay } from './relay.ts'

/** Its connections: for the outbox, and for the timer of the orders. */
export const pool = { outbox: 4, timer: 1 }

/** The relay, with what it needs of the settings. */
export async function openRelay(config: Config, log: Logger): Promise<Service> {
  // read first: without NATS, what follows waits
  const redeliverAfterMs = config.number('REDELIVER_AFTER_SECONDS', 30) * 1000
  const replicas = config.number('JETSTREAM_REPLICAS', 1)
  const waitMs = storeWaitMs(config)
  const db = openPostgres(config.need('DATABASE_URL'), {
    name: 'relay',
    max: pool.outbox,
    // a mark that is lost has an event published twice, which the inbox sorts out
    durable: false,
  })
  const orders = openPostgres(config.need('ORDERS_DATABASE_URL'), { name: 'relay-timer', max: pool.timer })
  const mongodb = config.get('MONGODB_URL')
  const store = mongodb === undefined ? undefined : await openProducts(mongodb)
  await Promise.all([
    checkSchema(db.client, waitMs),
    checkSchema(orders.client, waitMs, 'ORDERS_DATABASE_URL'),
    store && checkProducts(store.db, waitMs),
  ])
  const broker = await connectBroker(config.need('NATS_URL'), { name: 'relay', replicas, waitMs })
  const relay = await startRelay({
    db,
    broker,
    ...(store === undefined ? {} : { products: store.products }),
    driveOverdue: () => driveOverdue(orders),
    redeliverAfterMs,
    log,
  })
  return {
    checked: Promise.resolve(),
    ping: async () => void (await db.client`select 1`),
    close: async () => {
      await relay.stop()
      await Promise.all([
        broker.close(),
        db.client.end({ timeout: 5 }),
        orders.client.end({ timeout: 5 }),
        store?.close(),
      ])
    },
  }
}
