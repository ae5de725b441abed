import { capture } from './ask.ts'
import type { PaymentStatus } from './payment.ts'
import { settle } from './settle.ts'
import { advance, lockPayment } from './store.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { reaction } from '../../events/reaction.ts'

export const capturePayment = reaction('capture-payment', async (event, { db, provider, once }) => {
  const { orderId } = event.data
  const payment = await beginCapture(db, orderId)
  const { id: paymentId } = payment
  const answer = payment.status === 'capturing' ? await capture(provider, payment) : undefined
  await once(async (tx) => {
    const row = await lockPayment(tx, { orderId })
    if (row === undefined || isSettled(row.status)) return
    if (row.status === 'capturing' && answer?.status === 'captured') {
      await settle(tx, [{ row, answer }])
      return
    }
    const reason = answer?.reason ?? `the payment is ${row.status}`
    if (row.status === 'capturing') await advance(tx, row, { type: 'fail-capture' }, { reason })
    // also emitted if the payment was declined or voided: the parcel of an unpaid order is recalled
    await tx.emit('payment.capture-failed', orderId, { orderId, paymentId, reason })
  })
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
