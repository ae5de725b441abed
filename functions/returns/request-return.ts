import { uuidv7 } from 'uuidv7'
import { isStaff } from '../shared/auth/access-token.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { once } from '../shared/store/transaction.ts'
import { refusalOf } from './pieces.ts'
import { problems } from './problems.ts'
import { idempotencyKeys, NewReturn, Return, returns, toReturn } from './return.ts'
import { lockPurchase, returnsOf, told } from './store.ts'

export const requestReturn = operation(
  'request-return',
  {
    request: { body: NewReturn },
    responses: { 201: Return },
    problems: [
      problems['unknown-order'],
      problems['order-not-returnable'],
      problems['return-too-late'],
      problems['not-in-order'],
      problems['too-many-pieces'],
    ],
    headers: ['ETag', 'Location'],
  },
  async ({ body: { orderId, items }, user, key, json }, { db, days }) =>
    once(db, idempotencyKeys, key, async (tx) => {
      const purchase = await lockPurchase(tx, orderId)
      const { customerId = null, currency } = purchase ?? {}
      if (purchase === undefined || customerId === null || (customerId !== user.id && !isStaff(user)))
        throw new Problem(problems['unknown-order'], {
          detail: `You have no order ${orderId}.`,
          errors: [{ pointer: '/body/orderId', detail: 'the id of one of your orders' }],
        })
      const now = new Date()
      const refused = refusalOf(items, purchase, await returnsOf(tx, orderId), { days, now })
      if (refused !== undefined) {
        const { refused: why, ...extra } = refused
        throw new Problem(problems[why], extra)
      }
      const row = {
        id: uuidv7(),
        orderId,
        customerId,
        status: 'requested' as const,
        items: items.map(({ note = null, ...item }) => ({ ...item, note })),
        received: null,
        refundAmount: null,
        currency: currency!,
        refusal: null,
        version: 1,
        requestedAt: now,
        decidedAt: null,
        receivedAt: null,
      }
      const asked = items.map(({ sku, quantity, reason }) => ({ sku, quantity, reason }))
      await Promise.all([
        tx.insert(returns).values(row).execute(),
        tx.emit('return.requested', orderId, { ...told(row), items: asked }),
      ])
      return json(toReturn(row), 201, { etag: etag(row.version), location: `/api/v1/returns/${row.id}` })
    }),
)
