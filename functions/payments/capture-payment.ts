import { capture } from './ask.ts'
import type { CaptureRow, PaymentRow } from './payment.ts'
import { settle } from './settle.ts'
import { advance, beginCapture, captureOf, endCapture, lockPayment } from './store.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { transaction } from '../shared/store/transaction.ts'
import { reaction } from '../../events/reaction.ts'

/**
 * Captures what was shipped: a parcel, or all that is left. Captures of one payment follow each other, so that what the
 * provider says of it tells which of them are done.
 */
export const capturePayment = reaction('capture-payment', async (event, { db, provider, once }) => {
  const { orderId } = event.data
  const parcel = event.type === 'parcel.shipped' ? event.data : undefined
  const wanted = { parcelId: parcel?.parcelId ?? null, amount: parcel?.amount.amount }
  const { payment, begun } = await transaction(db, (tx) => begin(tx, orderId, wanted))
  const { id: paymentId } = payment
  const answer = begun?.status === 'pending' ? await capture(provider, payment, begun) : undefined
  await once(async (tx) => {
    const row = await lockPayment(tx, { orderId })
    if (row === undefined || (await isEnded(tx, row, wanted.parcelId))) return
    const isUnderWay = row.status === 'capturing' && begun !== undefined
    if (isUnderWay && answer !== undefined && answer.captured >= row.captured + row.capturing) {
      await settle(tx, [{ row, answer }])
      return
    }
    const reason = answer?.reason ?? `the payment is ${row.status}`
    if (isUnderWay) {
      await advance(tx, row, { type: 'fail-capture' }, { reason })
      await endCapture(tx, row, 'failed')
    }
    // also emitted if the payment was declined or voided: the parcel of an unpaid order is recalled
    const data = { orderId, paymentId, reason }
    await tx.emit(
      'payment.capture-failed',
      orderId,
      wanted.parcelId === null ? data : { ...data, parcelId: wanted.parcelId },
    )
  })
})

/** Whether it is known what became of a capture, or all is captured already. */
async function isEnded(tx: Tx, row: PaymentRow, parcelId: string | null): Promise<boolean> {
  const known = await captureOf(tx, row.id, parcelId)
  if (known !== undefined) return known.status !== 'pending'
  const isAll = row.captured === row.amount && (row.status === 'captured' || row.status === 'refunded')
  return isAll || (parcelId === null && ['captured', 'refunded', 'capture_failed'].includes(row.status))
}

interface Wanted {
  parcelId: string | null
  /** Undefined for all that is left. */
  amount: number | undefined
}

/**
 * Marks an authorised payment as being captured. It cannot be voided until the provider has answered.
 * @returns the capture, unless the payment does not allow one
 * @throws if the payment is not authorised yet, or another capture is under way; the delivery is retried
 */
async function begin(
  tx: Tx,
  orderId: string,
  { parcelId, amount }: Wanted,
): Promise<{ payment: PaymentRow; begun?: Pick<CaptureRow, 'amount' | 'parcelId' | 'status'> }> {
  const payment = await lockPayment(tx, { orderId })
  if (payment === undefined || payment.status === 'authorizing')
    throw new Error(`order ${orderId} was shipped before its payment is authorised: try again later`)
  const begun = await captureOf(tx, payment.id, parcelId)
  if (begun !== undefined) return { payment, begun }
  if (payment.status === 'capturing') {
    // an earlier version has begun to capture it as a whole
    if (parcelId === null && payment.capturing === 0)
      return beginCapture(tx, { ...payment, status: 'authorized' }, { parcelId, amount: payment.amount })
    // it waits with the other one, for as long as the provider is away
    throw new Unavailable(`another parcel of order ${orderId} is being paid: try again later`)
  }
  if (payment.status !== 'authorized' && payment.status !== 'partly_captured') return { payment }
  const left = payment.amount - payment.captured
  return beginCapture(tx, payment, { parcelId, amount: Math.min(amount ?? left, left) })
}
