import type { Collection } from 'mongodb'
import type { Logger } from 'pino'
import type { Domain } from '../functions.ts'
import type { PaymentProvider } from '../payments/provider.ts'
import type { ProductDocument } from '../products/product.ts'
import type { Tokens } from '../users/tokens.ts'
import type { ProductReader } from './http/product-reader.ts'
import type { Db } from './store/postgres.ts'

/** What a function of each domain is given: nothing of another domain's store. */
export interface DepsByDomain {
  users: { log: Logger; db: Db; tokens: Tokens }
  products: { log: Logger; products: Collection<ProductDocument> }
  stock: { log: Logger; db: Db; products: ProductReader }
  orders: {
    log: Logger
    db: Db
    products: ProductReader
    /** How long an order may wait for stock and payment. */
    deadlineMs: number
  }
  payments: { log: Logger; db: Db; provider: PaymentProvider }
}

export type DepsOf<D extends Domain> = DepsByDomain[D]
