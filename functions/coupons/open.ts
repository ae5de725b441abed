import type { Logger } from 'pino'
import { openProductReader } from '../shared/http/product-reader.ts'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the coupons functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'coupons', migrations })
  const heldMs = config.number('REDEMPTION_SECONDS', 900) * 1000
  const isSessionEnded = await openEndedSessions(db, () => import('./coupon.ts'))
  return { ...service, deps: { log, db, isSessionEnded, heldMs, products: openProductReader(config) } }
}
