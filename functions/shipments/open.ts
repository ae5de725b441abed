import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import { openAddressReader } from './address-reader.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the shipments functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'shipments', migrations })
  const takenMs = config.number('TAKING_SECONDS', 1800) * 1000
  const isSessionEnded = await openEndedSessions(db, () => import('./shipment.ts'))
  return { ...service, deps: { log, db, isSessionEnded, takenMs, readAddress: openAddressReader(config) } }
}
