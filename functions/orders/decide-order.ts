import * as z from 'zod'
import { etag } from '../shared/http/entity-tag.ts'
import { operation } from '../shared/http/operation.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { Order, toOrder, type OrderRow } from './order.ts'
import { problems } from './problems.ts'
import { decisions, isDecided, type Decision } from './shortage.ts'
import { backorder, leaveOut } from './shortages.ts'
import { cancel, lockOrder } from './store.ts'

const ShortageDecision = z
  .strictObject({
    decision: z.enum(decisions).meta({
      description:
        'Take the `part` that is there, and leave the rest out; `wait` for the rest; or `cancel` the order.',
    }),
  })
  .meta({ id: 'ShortageDecision' })

/** Takes the customer's decision about an order of which a part is missing. It is taken once. */
export const decideOrder = operation(
  'decide-order',
  {
    request: { params: IdParam, body: ShortageDecision },
    responses: { 200: Order },
    problems: ['not-found', problems['nothing-to-decide']],
    headers: ['ETag'],
  },
  async ({ params, body: { decision }, user, json }, { db, deadlineMs }) => {
    const row = await transaction(db, async (tx) => {
      const row = await lockOrder(tx, params.id, user)
      // a repeated decision succeeds without another change
      if (isDecided(row, decision)) return row
      if (row.status !== 'placed' || row.shortage?.state !== 'undecided') throw nothingToDecide(row)
      return decide(tx, row, decision, deadlineMs)
    })
    return json(toOrder(row), 200, { etag: etag(row.version) })
  },
)

async function decide(tx: Tx, row: OrderRow, decision: Decision, deadlineMs: number): Promise<OrderRow> {
  const { missing } = row.shortage!
  if (decision === 'part') return leaveOut(tx, row, missing, { deadlineMs })
  if (decision === 'wait') return backorder(tx, row, missing)
  const cancelled = await cancel(tx, row, 'cancel', 'cancelled by the customer')
  return cancelled!
}

const nothingToDecide = ({ status, shortage }: OrderRow) =>
  new Problem(problems['nothing-to-decide'], {
    detail:
      shortage === null
        ? `The order is ${status}, and waits for no decision.`
        : `The order is ${status}: what becomes of it was decided before.`,
  })
