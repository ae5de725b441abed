import type { EventData } from '../../events/event.ts'
import { reaction } from '../../events/reaction.ts'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import type { Db } from '../shared/store/postgres.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { transaction } from '../shared/store/transaction.ts'
import { refund as askForRefund } from './ask.ts'
import { left, refundDetails, type PaymentStatus } from './payment.ts'
import { beginRefund, begunRefund, finishRefund, forReturns, lockPayment } from './store.ts'

/**
 * Refunds what came back, once for each return: the return's id is the key of the refund. If staff have refunded some of
 * it before, only what is left is refunded.
 */
export const refundReturn = reaction(
  'refund-return',
  async ({ data, actor }, { db, log, provider, once }) => {
    const begun = await begin(db, data)
    if (begun?.refund.status === 'pending') await askForRefund(provider, begun.payment, begun.refund)
    let isFirst = false
    await once(async (tx) => {
      if (begun !== undefined) ({ isFirst } = await finishRefund(tx, begun.refund))
    })
    if (isFirst && begun !== undefined)
      logWithoutRequest(log, 'payment-refunded', refundDetails(begun.refund, begun.payment.currency), actor)
  },
)

/** The statuses of a payment that may still be captured. */
const isOpen = (status: PaymentStatus) => ['authorizing', 'authorized', 'capturing'].includes(status)

/** Begins, or resumes, the refund of a return. Returns undefined if nothing can be refunded. */
const begin = (db: Db, { orderId, returnId, refund: { amount: wanted } }: EventData<'return.received'>) =>
  transaction(db, async (tx) => {
    const payment = await lockPayment(tx, { orderId })
    if (payment === undefined || isOpen(payment.status))
      throw new Unavailable(`the payment of order ${orderId} is not captured yet`)
    const key = { caller: forReturns, key: returnId, hash: returnId }
    const known = await begunRefund(tx, key)
    if (known !== undefined) return { payment, refund: known }
    const amount = Math.min(wanted, left(payment))
    if (payment.status !== 'captured' || amount === 0) return undefined
    const refund = await beginRefund(tx, payment, { amount, reason: 'pieces came back' }, key)
    return refund && { payment, refund }
  })
