import type { Collection, Filter } from 'mongodb'
import { refuseIfEnded } from '../shared/auth/ended-sessions.ts'
import { streamLines } from '../shared/http/lines/stream-lines.ts'
import { operation } from '../shared/http/operation.ts'
import { toLine } from './line.ts'
import { NewProduct, type ProductDocument } from './product.ts'
import { stateOnly } from './store.ts'

/** How many products are read at a time. */
const atOnce = 200

export const exportProducts = operation(
  'export-products',
  {
    request: {},
    responses: { 200: NewProduct },
    contentType: 'application/x-ndjson',
  },
  async ({ user, hono }, { products, isSessionEnded }) => {
    const whose = user.role === 'admin' ? {} : { sellerId: user.id }
    return streamLines(
      hono,
      groupsOf(products, whose, () => refuseIfEnded(isSessionEnded, user)),
    )
  },
)

/** Reads products in groups, each only when it is wanted. */
async function* groupsOf(
  products: Collection<ProductDocument>,
  whose: Filter<ProductDocument>,
  mayGoOn: () => Promise<void>,
): AsyncGenerator<NewProduct[]> {
  const cursor = products
    .find({ ...whose, deletedAt: null }, stateOnly)
    .sort({ _id: 1 })
    .batchSize(atOnce)
  try {
    while (await cursor.hasNext()) {
      await mayGoOn()
      yield cursor.readBufferedDocuments().map(toLine)
    }
  } finally {
    await cursor.close()
  }
}
