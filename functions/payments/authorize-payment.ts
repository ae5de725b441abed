import { authorize } from './ask.ts'
import { settle } from './settle.ts'
import { lockPayments, openPayment } from './store.ts'
import { batchReaction, type EventOf } from '../../events/reaction.ts'

export const authorizePayment = batchReaction('authorize-payment', {
  prepare: async ({ data }, { db, provider }) => {
    const { secret, ...payment } = await openPayment(db, data)
    const isOpen = payment.status === 'authorizing'
    const answer = isOpen ? await authorize(provider, payment, oldToken(data) ?? secret) : undefined
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
      return answer !== undefined && row.status === 'authorizing'
        ? [{ row, answer, causedBy: { traceparent: events[i]!.traceparent } }]
        : []
    })
    await settle(tx, answered)
  },
})

const oldToken = (data: EventOf<'authorize-payment'>['data']) =>
  'cardToken' in data ? data.cardToken : undefined
