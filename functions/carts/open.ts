import type { Logger } from 'pino'
import { openProductReader } from '../shared/http/product-reader.ts'
import type { Config } from '../shared/process/config.ts'
import { openEndedSessions } from '../shared/store/ended-sessions-mongodb.ts'
import { openMongoDatabase } from '../shared/store/open-mongodb.ts'
import { httpAvailability } from './available.ts'
import type { CartDocument, Product } from './cart.ts'
import { guestTokens } from './guest.ts'
import { migrations } from './migrations/index.ts'
import { orderPlacer } from './place-order.ts'

/** Opens the dependencies of the carts functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openMongoDatabase(config, { name, domain: 'carts', migrations })
  return {
    ...service,
    deps: {
      log,
      carts: db.collection<CartDocument>('carts'),
      products: db.collection<Product>('products'),
      guests: guestTokens(config.need('CART_TOKEN_KEY')),
      readProduct: openProductReader(config),
      available: httpAvailability(config.functionUrl('get-stock')),
      placeOrder: orderPlacer(config.functionUrl('create-order')),
      ...openEndedSessions(db),
    },
  }
}
