import type { Tx } from '../shared/store/postgres.ts'
import type { EmitOptions } from '../../events/emit.ts'
import { forgetSecrets } from '../../events/secrets.ts'
import type { Outcome } from './ask.ts'
import { meaningOf, type CaptureRow, type PaymentRow, type Settling } from './payment.ts'
import { advanceAll, endCapture } from './store.ts'

/** What the provider has told of a locked payment: by an answer, a look-up or a webhook. */
export interface Told extends Pick<EmitOptions, 'causedBy'> {
  row: PaymentRow
  answer: Outcome
}

/**
 * Applies what the provider has told of locked payments, and emits the events that follow. Payments that do not wait
 * for it stay as they are.
 */
export async function settle(tx: Tx, told: readonly Told[]): Promise<void> {
  const steps = told.flatMap((one) => {
    const type = meaningOf(one.row, one.answer)
    return type === undefined ? [] : [{ ...one, type }]
  })
  // the token was used for the authorisation, or will not be used any more
  const tokens = steps.flatMap(({ type, row }) => (type === 'capture' ? [] : [row.orderId]))
  await Promise.all([
    tokens.length === 0 ? undefined : forgetSecrets(tx, tokens),
    advanceAll(
      tx,
      steps.map(({ row, answer, type }) => ({
        row,
        event: { type },
        more: {
          providerId: answer.id ?? row.providerId,
          reason: type === 'decline' ? reasonOf(answer) : (answer.reason ?? row.reason),
        },
      })),
    ),
    ...steps.map(async (step) =>
      announce(tx, step, step.type === 'capture' ? await endCapture(tx, step.row, 'done') : undefined),
    ),
  ])
}

const reasonOf = ({ reason, status }: Outcome) =>
  reason ?? (status === 'voided' ? 'the provider has given the authorisation back' : 'declined')

async function announce(
  tx: Tx,
  { row, answer, type, causedBy }: Told & { type: Settling },
  ended: CaptureRow | undefined,
) {
  const { orderId, id: paymentId, currency } = row
  // whoever brings the news has not done it
  const options: EmitOptions = { actor: 'system', ...(causedBy && { causedBy }) }
  const of = (amount: number) => ({ orderId, paymentId, amount: { amount, currency } })
  switch (type) {
    case 'authorize':
      return tx.emit('payment.authorized', orderId, of(row.amount), options)
    case 'void':
      return tx.emit('payment.voided', orderId, of(row.amount - row.captured), options)
    case 'capture': {
      const captured = { amount: row.captured + row.capturing, currency }
      const parcel = ended?.parcelId == null ? {} : { parcelId: ended.parcelId }
      return tx.emit('payment.captured', orderId, { ...of(row.capturing), ...parcel, captured }, options)
    }
    case 'decline':
      // the order of a payment that was to be voided is cancelled already
      if (row.status === 'authorizing')
        await tx.emit('payment.declined', orderId, { orderId, paymentId, reason: reasonOf(answer) }, options)
  }
}
