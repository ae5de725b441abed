import { capture } from './ask.ts'
import type { PaymentStatus } from './payment.ts'
import { settle } from './settle.ts'
import { advance, advanceAll, lockPayment, lockPayments } from './store.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { batchReaction } from '../../events/reaction.ts'

export const capturePayment = batchReaction('capture-payment', {
  prepare: async ({ data: { orderId } }, { db, provider }) => {
    const payment = await beginCapture(db, orderId)
    const answer = payment.status === 'capturing' ? await capture(provider, payment) : undefined
    return { id: payment.id, answer }
  },
  write: async (tx, events, found) => {
    const rows = await lockPayments(
      tx,
      found.map(({ id }) => id),
    )
    const open = rows
      .map((row, i) => ({ row, answer: found[i]!.answer, causedBy: { traceparent: events[i]!.traceparent } }))
      .filter(({ row }) => !isSettled(row.status))
    const isCaptured = ({ row, answer }: (typeof open)[number]) =>
      row.status === 'capturing' && answer?.status === 'captured'
    const failed = open
      .filter((one) => !isCaptured(one))
      .map((one) => ({ ...one, reason: one.answer?.reason ?? `the payment is ${one.row.status}` }))
    await Promise.all([
      settle(
        tx,
        open.flatMap(({ answer, ...one }) =>
          answer && isCaptured({ ...one, answer }) ? { ...one, answer } : [],
        ),
      ),
      advanceAll(
        tx,
        failed
          .filter(({ row }) => row.status === 'capturing')
          .map(({ row, reason }) => ({ row, event: { type: 'fail-capture' }, more: { reason } })),
      ),
      // also emitted if the payment was declined or voided: the parcel of an unpaid order is recalled
      ...failed.map(({ row: { id, orderId }, reason, causedBy }) =>
        tx.emit('payment.capture-failed', orderId, { orderId, paymentId: id, reason }, { causedBy }),
      ),
    ])
  },
})

const isSettled = (status: PaymentStatus) => ['captured', 'refunded', 'capture_failed'].includes(status)

/**
 * Marks an authorised payment as being captured. It cannot be voided until the provider has answered.
 * @throws if the payment is not authorised yet; the delivery is retried
 */
const beginCapture = (db: Db, orderId: string) =>
  transaction(db, async (tx) => {
    const row = await lockPayment(tx, { orderId })
    if (row === undefined || row.status === 'authorizing')
      throw new Error(`order ${orderId} was shipped before its payment is authorised: try again later`)
    return row.status === 'authorized' ? advance(tx, row, { type: 'begin-capture' }) : row
  })
