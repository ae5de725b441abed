import type { Logger } from 'pino'
import { openProductReader } from '../shared/http/product-reader.ts'
import type { Config } from '../shared/process/config.ts'
import { openDatabase } from '../shared/store/open-database.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the stock functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, { name, domain: 'stock', migrations })
  return { ...service, deps: { log, db, products: openProductReader(config) } }
}
