import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { findAccount, lockAccounts, noStock, saveAccounts } from './accounts.ts'
import { SkuParam, Stock, StockPatch, toStock } from './stock.ts'

export const updateStock = operation(
  'update-stock',
  {
    request: { params: SkuParam, body: StockPatch },
    responses: { 200: Stock },
    problems: ['not-found', 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params: { sku }, body, user, json, hono }, { db, products, lowAt }) => {
    const wanted = ifMatch(hono)
    const { sellerId } = await findAccount(db, products, sku)
    if (user.role === 'seller' && sellerId !== user.id) throw noStock()
    const changed = await transaction(db, async (tx) => {
      const [item] = await lockAccounts(tx, [{ sku }])
      checkVersion(wanted, item!.version)
      const next = { ...item!, threshold: body.threshold ?? null }
      await saveAccounts(tx, [next], lowAt)
      return { ...next, version: next.version + 1, updatedAt: new Date() }
    })
    return json(toStock(changed, lowAt), 200, { ETag: etag(changed.version) })
  },
)
