import { authorize, type Outcome } from './ask.ts'
import type { PaymentRow } from './payment.ts'
import { advanceAll, lockPayments, openPayment } from './store.ts'
import type { Tx } from '../shared/store/postgres.ts'
import type { EmitOptions } from '../../events/emit.ts'
import { batchReaction } from '../../events/reaction.ts'
import { forgetSecrets } from '../../events/secrets.ts'

export const authorizePayment = batchReaction('authorize-payment', {
  prepare: async ({ data }, { db, provider }) => {
    const { secret, ...payment } = await openPayment(db, data)
    const isOpen = payment.status === 'authorizing'
    const answer = isOpen ? await authorize(provider, payment, data.cardToken ?? secret) : undefined
    return { id: payment.id, answer }
  },
  write: async (tx, events, found) => {
    const rows = await lockPayments(
      tx,
      found.map(({ id }) => id),
    )
    const answered = found.flatMap(({ answer }, i) => {
      const row = rows[i]!
      // if the order was cancelled meanwhile, void-payment voids the authorisation
      return answer !== undefined && row.status === 'authorizing' ? [{ row, answer, event: events[i]! }] : []
    })
    await Promise.all([
      forgetSecrets(
        tx,
        answered.map(({ row }) => row.orderId),
      ),
      advanceAll(
        tx,
        answered.map(({ row, answer }) => ({ row, ...stepOf(answer) })),
      ),
      ...answered.map(({ row, answer, event }) =>
        announce(tx, row, answer, { causedBy: { traceparent: event.traceparent } }),
      ),
    ])
  },
})

const reasonOf = ({ reason }: Outcome) => reason ?? 'declined'

const stepOf = (answer: Outcome) =>
  answer.status === 'declined'
    ? { event: { type: 'decline' as const }, more: { providerId: answer.id, reason: reasonOf(answer) } }
    : { event: { type: 'authorize' as const }, more: { providerId: answer.id } }

function announce(tx: Tx, row: PaymentRow, answer: Outcome, options: EmitOptions) {
  const { orderId, id: paymentId, amount, currency } = row
  return answer.status === 'declined'
    ? tx.emit('payment.declined', orderId, { orderId, paymentId, reason: reasonOf(answer) }, options)
    : tx.emit('payment.authorized', orderId, { orderId, paymentId, amount: { amount, currency } }, options)
}
