import type { Collection, Filter } from 'mongodb'
import { refuseIfEnded } from '../shared/auth/ended-sessions.ts'
import { streamLines } from '../shared/http/lines/stream-lines.ts'
import { operation } from '../shared/http/operation.ts'
import { groupsOf, patiently } from '../shared/store/mongodb.ts'
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
      linesOf(products, whose, () => refuseIfEnded(isSessionEnded, user)),
    )
  },
)

async function* linesOf(
  products: Collection<ProductDocument>,
  whose: Filter<ProductDocument>,
  mayGoOn: () => Promise<void>,
): AsyncGenerator<NewProduct[]> {
  const all = products.find({ ...whose, deletedAt: null }, { ...stateOnly, ...patiently }).sort({ _id: 1 })
  for await (const group of groupsOf(all, atOnce)) {
    await mayGoOn()
    yield group.map(toLine)
  }
}
