import { refund as askForRefund } from './ask.ts'
import { refundDetails } from './payment.ts'
import { ProviderRefused } from './provider.ts'
import { failRefund, findPayment, finishRefund, readRefund } from './store.ts'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import { reaction } from '../../events/reaction.ts'

export const finishRefundRequested = reaction(
  'finish-refund',
  async ({ data, actor }, { db, log, provider, once }) => {
    const [refund, payment] = await Promise.all([
      readRefund(db, data.refundId),
      findPayment(db, data.paymentId),
    ])
    let refused = false
    // usually the request that began the refund has already finished it
    if (refund?.status === 'pending' && payment !== undefined)
      await askForRefund(provider, payment, refund).catch((error: unknown) => {
        if (!(error instanceof ProviderRefused)) throw error
        refused = true
      })
    let isFirst = false
    await once(async (tx) => {
      if (refund === undefined) return
      if (refused) await failRefund(tx, refund)
      else ({ isFirst } = await finishRefund(tx, refund, actor))
    })
    if (isFirst && refund !== undefined && payment !== undefined)
      logWithoutRequest(log, 'payment-refunded', refundDetails(refund, payment.currency), actor)
  },
)
