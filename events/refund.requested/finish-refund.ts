import { refund as askForRefund } from '../../functions/payments/ask.ts'
import { ProviderRefused } from '../../functions/payments/provider.ts'
import { failRefund, finishRefund, findPayment, readRefund } from '../../functions/payments/store.ts'
import { reaction } from '../reaction.ts'

export const finishRefundReaction = reaction(
  'finish-refund',
  async ({ data, traceparent }, { db, provider, once }) => {
    const refund = await readRefund(db, data.refundId)
    const payment = await findPayment(db, data.paymentId)
    // mostly done by who asked for it
    if (refund?.status !== 'pending' || payment === undefined) return void (await once(async () => {}))
    try {
      await askForRefund(provider, payment, refund)
    } catch (error) {
      if (!(error instanceof ProviderRefused)) throw error
      return void (await once((tx) => failRefund(tx, refund)))
    }
    await once(async (tx) => void (await finishRefund(tx, refund, traceparent)))
  },
)
