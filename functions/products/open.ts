import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openEndedSessions } from '../shared/store/ended-sessions-mongodb.ts'
import { openMongoDatabase } from '../shared/store/open-mongodb.ts'
import { openCategories } from './category-store.ts'
import { migrations } from './migrations/index.ts'
import type { ProductDocument } from './product.ts'

/** Opens the dependencies of the products functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openMongoDatabase(config, { name, domain: 'products', migrations })
  return {
    ...service,
    deps: {
      log,
      products: db.collection<ProductDocument>('products'),
      categories: openCategories(db),
      ...openEndedSessions(db),
    },
  }
}
