import { deliveryKeysSetting, type Config } from '../functions/shared/process/config.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { storeWaitMs } from '../functions/shared/store/wait-for-store.ts'
import { waitForSchema } from '../functions/shared/store/schema-version.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import type { Service } from '../functions/shared/process/service.ts'
import type { Logger } from 'pino'
import { consumers } from './consumers.table.ts'
import { defaultRetryDelaysMs, startDispatcher } from './dispatcher.ts'
import { observeReactions } from './gauges.ts'
import { connectBroker } from './jetstream.ts'
import { createSigner, readKeys } from './signature.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** The number of its connections to PostgreSQL. */
export const poolSize = 4

/** The longest COLD_PATIENCE_SECONDS: JetStream delivers again what waits for longer than thrice that. */
const mostColdPatience = 10

/**
 * Starts the dispatcher. Waits up to STORE_WAIT_SECONDS for PostgreSQL, its migration and NATS.
 * @throws UserError if a setting is missing or a store is not available
 */
export async function openDispatcher(config: Config, log: Logger): Promise<Service> {
  // read first, because what follows waits for the stores
  config.need('FUNCTION_URL')
  const signers = openSigners(config)
  const retryDelaysMs = readDelays(config.get('RETRY_DELAYS_SECONDS'))
  const coldPatienceMs = Math.min(config.number('COLD_PATIENCE_SECONDS', 0.1), mostColdPatience) * 1000
  const replicas = config.number('JETSTREAM_REPLICAS', 1)
  const waitMs = storeWaitMs(config)
  const db = openPostgres(config.need('DATABASE_URL'), { name: 'dispatcher', max: poolSize })
  await waitForSchema(db.client, { domain: 'events', migrations, waitMs })
  const broker = await connectBroker(config.need('NATS_URL'), { name: 'dispatcher', replicas, waitMs })
  const dispatcher = startDispatcher({
    db,
    broker,
    url: (name) => config.functionUrl(name),
    sign: (domain, id, body) => signers.get(domain)!(id, body),
    retryDelaysMs,
    coldPatienceMs,
    log,
  })
  observeReactions(db, broker)
  return {
    checked: Promise.resolve(),
    ping: async () => void (await db.client`select 1`),
    close: async () => {
      await dispatcher.stop()
      await Promise.all([broker.close(), db.client.end({ timeout: 5 })])
    },
  }
}

/** Returns what signs the deliveries to each domain with its key. */
const openSigners = (config: Config) =>
  new Map(
    Object.values(consumers).map(({ domain }) => [
      domain,
      createSigner(readKeys(config, deliveryKeysSetting(domain))),
    ]),
  )

function readDelays(setting: string | undefined): number[] {
  if (setting === undefined) return defaultRetryDelaysMs
  const delays = setting.split(',').map((seconds) => Number(seconds) * 1000)
  if (delays.some((delay) => !(delay > 0)))
    throw new UserError(`RETRY_DELAYS_SECONDS=${setting}: set it to seconds such as 1,5,30.`)
  return delays
}
