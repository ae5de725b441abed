import { transaction } from '../shared/store/transaction.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { Address, changeOf, IdParam, text } from '../shared/schemas/schemas.ts'
import { checkVersion, etag, ifMatch } from '../shared/http/entity-tag.ts'
import { next, Order, toOrder } from './order.ts'
import { lockOrder, writeOrder } from './store.ts'
import { problems } from './problems.ts'

const Changes = changeOf(
  { deliveryAddress: Address.optional(), note: text(1000).nullable().optional() },
  'OrderChanges',
)

export const updateOrder = operation(
  'update-order',
  {
    request: { params: IdParam, body: Changes },
    responses: { 200: Order },
    problems: ['not-found', problems['wrong-order-status'], 'stale-version', 'if-match-missing'],
    headers: ['ETag'],
  },
  async ({ params, body, user, json, hono }, { db }) => {
    const wanted = ifMatch(hono)
    const row = await transaction(db, async (tx) => {
      const row = await lockOrder(tx, params.id, user)
      checkVersion(wanted, row.version)
      // an order that can still be cancelled has not been shipped
      if (next(row.status, 'cancel') === undefined)
        throw new Problem(problems['wrong-order-status'], {
          detail: `The order is ${row.status}: it can no longer be changed.`,
        })
      const { deliveryAddress = row.deliveryAddress, note = row.note } = body
      return writeOrder(tx, row, { deliveryAddress, note }, [{ type: 'order.updated' }])
    })
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)
