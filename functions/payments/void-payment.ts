import { uuidv7 } from 'uuidv7'
import { giveBack, refund as askForRefund } from './ask.ts'
import { left, payments, refundDetails, type PaymentRow } from './payment.ts'
import { settle } from './settle.ts'
import { advance, beginRefund, capturedFor, finishRefund, lockPayment, begunRefund } from './store.ts'
import type { Db } from '../shared/store/postgres.ts'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { transaction } from '../shared/store/transaction.ts'
import { reaction } from '../../events/reaction.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'

/**
 * Voids what is authorised, and refunds what is captured, except for the parcels that the customer keeps. Afterwards
 * nothing can be authorised or captured for the order.
 */
export const voidPayment = reaction('void-payment', async (event, { db, log, provider, once }) => {
  const { orderId, kept = [] } = event.data
  const payment = await beginVoid(db, orderId)
  if (payment.status === 'capturing')
    throw new Unavailable('a capture is under way: try again once it is known')

  const answer =
    payment.status === 'voiding'
      ? await giveBack(provider, payment, await readSecret(db, orderId))
      : undefined
  const refund = await beginRest(
    db,
    payment,
    kept.map(({ parcelId }) => parcelId),
  )
  if (refund !== undefined) await askForRefund(provider, payment, refund)
  let isFirst = false
  await once(async (tx) => {
    await forgetSecrets(tx, [orderId])
    const row = await lockPayment(tx, { orderId })
    if (answer !== undefined && row?.status === 'voiding') {
      if (answer.status === 'authorized' || (answer.status === 'captured' && row.captured === 0))
        throw new Error(`the provider has ${answer.status} payment ${row.id}`)
      await settle(tx, [{ row, answer }])
    }
    if (refund !== undefined) ({ isFirst } = await finishRefund(tx, refund))
  })
  if (isFirst && refund !== undefined)
    logWithoutRequest(log, 'payment-refunded', refundDetails(refund, payment.currency))
})

/**
 * Marks the payment as being voided; from then on it cannot be authorised or captured. An order without a
 * payment gets one that is already voided, which blocks a later authorisation.
 */
const beginVoid = (db: Db, orderId: string) =>
  transaction(db, async (tx) => {
    const [fence] = await tx
      .insert(payments)
      // XXX is ISO 4217's code for no currency
      .values({ id: uuidv7(), orderId, status: 'voided', amount: 0, currency: 'XXX' })
      .onConflictDoNothing()
      .returning()
    const row = fence ?? (await lockPayment(tx, { orderId }))
    if (row === undefined) throw new Error(`the payment of order ${orderId} has gone`)
    const isOpen = ['authorizing', 'authorized', 'partly_captured', 'capture_failed'].includes(row.status)
    return isOpen ? advance(tx, row, { type: 'cancel' }) : row
  })

/** Begins, or resumes, a refund of everything that can still be refunded and is not for a parcel that is kept. */
async function beginRest(db: Db, { id, orderId, captured }: PaymentRow, keptParcels: readonly string[]) {
  if (captured === 0) return undefined
  return transaction(db, async (tx) => {
    const row = await lockPayment(tx, { id })
    const key = { caller: 'order.cancelled', key: orderId, hash: orderId }
    const pending = await begunRefund(tx, key)
    if (pending !== undefined || row === undefined) return pending
    const amount = Math.min(left(row), row.captured - (await capturedFor(tx, id, keptParcels)))
    if (amount <= 0) return undefined
    return beginRefund(tx, row, { amount, reason: 'the order was cancelled' }, key)
  })
}
