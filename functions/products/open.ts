import type { Logger } from 'pino'
import type { Config } from '../shared/process/config.ts'
import { openEndedSessions } from '../shared/store/ended-sessions-mongodb.ts'
import { openMongoDatabase } from '../shared/store/open-mongodb.ts'
import { openCategories } from './category-store.ts'
import { migrations } from './migrations/index.ts'
import type { ProductDocument } from './product.ts'
import type { Claim, Purchase } from './purchases.ts'
import type { ReviewDocument } from './review.ts'
import { openSearch } from './search/open-search.ts'

/** Opens the dependencies of the products functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openMongoDatabase(config, { name, domain: 'products', migrations })
  const products = db.collection<ProductDocument>('products')
  return {
    ...service,
    deps: {
      log,
      products,
      categories: openCategories(db),
      search: openSearch(products),
      reviews: db.collection<ReviewDocument>('reviews'),
      purchases: db.collection<Purchase>('purchases'),
      claims: db.collection<Claim>('claims'),
      ...openEndedSessions(db),
    },
  }
}
