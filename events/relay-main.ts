import { driveOverdue } from '../functions/orders/overdue.ts'
import { openProducts } from '../functions/products/store.ts'
import type { Config } from '../functions/shared/config.ts'
import { openPostgres } from '../functions/shared/postgres.ts'
import type { Service } from '../functions/shared/service.ts'
import type { Logger } from 'pino'
import { connectBroker } from './jetstream.ts'
import { startRelay } from './relay.ts'

/** The relay, with what it needs of the settings. */
export async function openRelay(config: Config, log: Logger): Promise<Service> {
  const db = openPostgres(config.need('DATABASE_URL'), { name: 'relay', max: 4 })
  const orders = openPostgres(config.need('ORDERS_DATABASE_URL'), { name: 'relay-timer', max: 1 })
  const mongodb = config.get('MONGODB_URL')
  const store = mongodb === undefined ? undefined : await openProducts(mongodb)
  const broker = await connectBroker(config.need('NATS_URL'), {
    name: 'relay',
    replicas: Number(config.get('JETSTREAM_REPLICAS') ?? 1),
  })
  const relay = await startRelay({
    db,
    broker,
    ...(store === undefined ? {} : { products: store.products }),
    driveOverdue: () => driveOverdue(orders),
    redeliverAfterMs: Number(config.get('REDELIVER_AFTER_SECONDS') ?? 30) * 1000,
    log,
  })
  return {
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
