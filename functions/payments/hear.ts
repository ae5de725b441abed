import type { Logger } from 'pino'
import * as z from 'zod'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { outcome } from './ask.ts'
import { meaningOf, refundDetails, strangenessOf, type PaymentRow } from './payment.ts'
import type { ProviderNews } from './provider.ts'
import { settle } from './settle.ts'
import { findPayment, finishRefund, lockPayment, readRefund } from './store.ts'

/**
 * Applies what a webhook tells, by the rules of an answer: it settles a payment or a refund whose outcome is not known
 * yet, and nothing else. So it does not matter if it comes twice, late, or before an older one.
 */
export async function hear(db: Db, log: Logger, { payment, refundKey }: ProviderNews): Promise<void> {
  const { reference } = payment
  const row = z.uuid().safeParse(reference).success ? await findPayment(db, reference) : undefined
  // the row is committed before the provider is called, so this is not too early: it is another shop's
  if (row === undefined) return log.info({ payment: reference }, 'a webhook about a payment that is not ours')
  const strange = isAnother(row, payment.id)
    ? `it has another id, ${payment.id}`
    : strangenessOf(row, payment)
  if (strange !== undefined)
    log.warn({ payment: row.id }, `the payment differs at the payment provider: ${strange}`)
  if (isAnother(row, payment.id)) return
  const answer = outcome(payment)
  if (meaningOf(row.status, answer.status) !== undefined)
    await transaction(db, async (tx) => {
      const locked = await lockPayment(tx, { id: row.id })
      if (locked !== undefined) await settle(tx, [{ row: locked, answer }])
    })
  await hearOfRefund(db, log, row, refundKey)
}

const isAnother = ({ providerId }: PaymentRow, id: string) => providerId !== null && providerId !== id

/** Finishes a refund that the provider has made, if nobody has. */
async function hearOfRefund(db: Db, log: Logger, payment: PaymentRow, refundKey: string | null) {
  const id = refundIdIn(refundKey)
  const refund = id === undefined ? undefined : await readRefund(db, id)
  if (refund?.status !== 'pending' || refund.paymentId !== payment.id) return
  const { isFirst } = await transaction(db, (tx) => finishRefund(tx, refund, 'system'))
  if (isFirst)
    logWithoutRequest(
      log,
      'payment-refunded',
      refundDetails(refund, payment.currency),
      refund.actor ?? 'system',
    )
}

/** Returns the id of the refund that a key is of (ask.ts). */
function refundIdIn(key: string | null): string | undefined {
  const [, id] = /^refund:(.+)$/.exec(key ?? '') ?? []
  return z.uuid().safeParse(id).data
}
