import * as z from 'zod'
import { uuidv7 } from 'uuidv7'
import { once } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { findAccount, lockAccounts, noStock, saveAccounts } from './accounts.ts'
import { fillBackorders } from './backorders.ts'
import {
  adjust,
  Adjustment,
  adjustments,
  idempotencyKeys,
  NewAdjustment,
  SkuParam,
  Stock,
  toStock,
} from './stock.ts'
import { problems } from './problems.ts'

export const adjustStock = operation(
  'adjust-stock',
  {
    request: { params: SkuParam, body: NewAdjustment },
    responses: { 201: z.object({ adjustment: Adjustment, stock: Stock }).meta({ id: 'StockAdjusted' }) },
    problems: ['not-found', problems['stock-too-low']],
    headers: ['ETag', 'Location'],
  },
  async ({ params: { sku }, body, user, key, json }, { db, products, lowAt }) => {
    const { sellerId } = await findAccount(db, products, sku)
    if (user.role === 'seller' && sellerId !== user.id) throw noStock()
    return once(db, idempotencyKeys, key, async (tx) => {
      const [item] = await lockAccounts(tx, [{ sku }])
      const adjusted = adjust(item!, body.quantity)
      if (adjusted === undefined)
        throw new Problem(problems['stock-too-low'], {
          detail: `${item!.available} of ${sku} are available.`,
        })
      const [stock] = await fillBackorders(tx, [adjusted])
      const at = new Date()
      const adjustment = { ...body, id: uuidv7(), sku, note: body.note ?? null, userId: user.id, at }
      await Promise.all([saveAccounts(tx, [stock!], lowAt), tx.insert(adjustments).values(adjustment)])
      const version = adjusted.version + 1
      return json(
        {
          adjustment: { ...adjustment, at: at.toISOString() },
          stock: { ...toStock(stock!, lowAt), updatedAt: at.toISOString() },
        },
        201,
        { ETag: etag(version), Location: `/api/v1/stock/${sku}` },
      )
    })
  },
)
