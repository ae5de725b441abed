import type { Logger } from 'pino'
import { openProductReader } from '../shared/http/product-reader.ts'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import { defaultThreshold } from './availability.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the stock functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'stock', migrations })
  const lowAt = Math.floor(config.number('LOW_STOCK_THRESHOLD', defaultThreshold))
  const isSessionEnded = await openEndedSessions(db, () => import('./stock.ts'))
  return { ...service, deps: { log, db, isSessionEnded, products: openProductReader(config), lowAt } }
}
