import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { authorize } from './ask.ts'
import { payments, type PaymentRow } from './payment.ts'
import { advance, lockPayment } from './store.ts'
import type { Db } from '../shared/store/postgres.ts'
import type { EventData } from '../../events/event.ts'
import { reaction } from '../../events/reaction.ts'
import { forgetSecret, readSecret } from '../../events/secrets.ts'

export const authorizePayment = reaction('authorize-payment', async (event, { db, provider, once }) => {
  const payment = await openPayment(db, event.data)
  const { orderId } = payment
  const cardToken = event.data.cardToken ?? (await readSecret(db, orderId))
  const answer = payment.status === 'authorizing' ? await authorize(provider, payment, cardToken) : undefined
  await once(async (tx) => {
    const row = await lockPayment(tx, { id: payment.id })
    // if the order was cancelled meanwhile, void-payment voids the authorisation
    if (answer === undefined || row?.status !== 'authorizing') return
    await forgetSecret(tx, orderId)
    const { id: paymentId } = row
    if (answer.status === 'declined') {
      const reason = answer.reason ?? 'declined'
      await advance(tx, row, { type: 'decline' }, { providerId: answer.id, reason })
      await tx.emit('payment.declined', orderId, { orderId, paymentId, reason })
      return
    }
    await advance(tx, row, { type: 'authorize' }, { providerId: answer.id })
    const amount = { amount: row.amount, currency: row.currency }
    await tx.emit('payment.authorized', orderId, { orderId, paymentId, amount })
  })
})

/** Finds or creates the order's payment. Its id, the provider's reference, is the same for every delivery. */
async function openPayment(
  db: Db,
  { orderId, customerId, total }: EventData<'stock.reserved'>,
): Promise<PaymentRow> {
  const [opened] = await db
    .insert(payments)
    .values({ id: uuidv7(), orderId, customerId, status: 'authorizing', ...total })
    .onConflictDoNothing()
    .returning()
  if (opened !== undefined) return opened
  const [known] = await db.select().from(payments).where(eq(payments.orderId, orderId))
  if (known === undefined) throw new Error(`the payment of order ${orderId} has gone`)
  return known
}
