import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import type { Seller } from './invoice.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the invoices functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'invoices', migrations })
  const seller: Seller = {
    name: config.get('SELLER_NAME') ?? 'Zeroshop',
    address: config.get('SELLER_ADDRESS') ?? '1 Example Street, 10115 Berlin, DE',
    taxId: config.get('SELLER_TAX_ID') ?? 'DE000000000',
  }
  const isSessionEnded = await openEndedSessions(db, () => import('./invoice.ts'))
  return { ...service, deps: { log, db, isSessionEnded, seller } }
}
