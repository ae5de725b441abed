import { uuidv7 } from 'uuidv7'
import type { Db, Tx } from '../shared/store/postgres.ts'
import type { Line, Movement, orderMovements, Reason } from './stock.ts'
import type * as z from 'zod'

/** Records what orders did to the stock, in one statement. */
export async function addMovements(
  tx: Tx,
  kind: (typeof orderMovements)[number],
  orders: readonly { orderId: string; lines: readonly Line[] }[],
): Promise<void> {
  const rows = orders.flatMap(({ orderId, lines }) =>
    lines.map((line) => ({ ...line, id: uuidv7(), orderId })),
  )
  if (rows.length > 0)
    await tx.client`
      insert into stock.movements (sku, id, quantity, kind, order_id)
      select sku, id, quantity, ${kind}, "orderId"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as new (sku text, id uuid, quantity integer, "orderId" uuid)`
}

interface MovementRow {
  id: string
  type: z.infer<typeof Movement>['type']
  quantity: number
  at: string
  orderId: string | null
  userId: string | null
  reason: Reason | null
  note: string | null
}

/** Above every UUIDv7. */
const latest = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/**
 * Reads the history of a SKU, newest first: adjustments, and what orders did. Each is read from its own index, no further
 * than the limit.
 * @param type only movements of this type
 * @param before only movements before the one with this id
 */
export async function readMovements(
  { client }: Db,
  sku: string,
  { type, before = latest, limit }: { type: string | undefined; before: string | undefined; limit: number },
): Promise<z.infer<typeof Movement>[]> {
  const adjusted = type === undefined || type === 'adjusted'
  const moved = type !== 'adjusted'
  // not with a condition that holds for any type, which would hide from the planner how many rows match
  const ofType = type === undefined ? client`` : client`and kind = ${type}`
  const rows = await client<MovementRow[]>`
    (
      select id, 'adjusted' as type, quantity, at, null::uuid as "orderId", user_id as "userId", reason, note
      from stock.adjustments
      where sku = ${sku} and id < ${before} and ${adjusted}
      order by id desc
      limit ${limit}
    )
    union all
    (
      select id, kind, quantity, at, order_id, null, null, null
      from stock.movements
      where sku = ${sku} and id < ${before} and ${moved} ${ofType}
      order by id desc
      limit ${limit}
    )
    order by id desc
    limit ${limit}`
  return rows.map(toMovement)
}

/** Converts a row to the API's movement, which leaves out what does not apply. */
const toMovement = ({ id, type, quantity, at, orderId, userId, reason, note }: MovementRow) => ({
  id,
  type,
  quantity,
  at: new Date(at).toISOString(),
  ...(orderId !== null && { orderId }),
  ...(userId !== null && { userId }),
  ...(reason !== null && { reason }),
  ...(note !== null && { note }),
})
