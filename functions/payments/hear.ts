import type { Logger } from 'pino'
import * as z from 'zod'
import { logWithoutRequest } from '../shared/http/security-log.ts'
import type { Db } from '../shared/store/postgres.ts'
import { transaction } from '../shared/store/transaction.ts'
import { outcome } from './ask.ts'
import { meaningOf, refundDetails, strangenessOf, type PaymentRow } from './payment.ts'
import type { ProviderNews, ProviderPayment } from './provider.ts'
import { settle } from './settle.ts'
import { findPayment, finishRefund, lockPayment, readRefund } from './store.ts'

/**
 * Applies what a webhook tells, by the rules of an answer: it settles a payment or a refund whose outcome is not known
 * yet, and nothing else. So it does not matter if it comes twice, late, or before an older one.
 */
export async function hear(db: Db, log: Logger, { id, payment, refundKey }: ProviderNews): Promise<void> {
  if (payment !== undefined) await hearOfPayment(db, log, payment)
  const refundId = refundIdIn(refundKey)
  if (refundId !== undefined) await hearOfRefund(db, log, refundId, id)
}

async function hearOfPayment(db: Db, log: Logger, told: ProviderPayment) {
  const { reference } = told
  const row = isId(reference) ? await findPayment(db, reference) : undefined
  // the row is committed before the provider is called, so this is not too early: it is another shop's
  if (row === undefined) return log.info({ payment: reference }, 'a webhook about a payment that is not ours')
  const strange = isAnother(row, told.id) ? `it has another id, ${told.id}` : strangenessOf(row, told)
  if (strange !== undefined)
    log.warn({ payment: row.id }, `the payment differs at the payment provider: ${strange}`)
  if (isAnother(row, told.id)) return
  const answer = outcome(told)
  if (meaningOf(row, answer) === undefined) return
  await transaction(db, async (tx) => {
    const locked = await lockPayment(tx, { id: row.id })
    if (locked !== undefined) await settle(tx, [{ row: locked, answer }])
  })
}

const Id = z.uuid()
const isId = (text: string) => Id.safeParse(text).success

const isAnother = ({ providerId }: PaymentRow, id: string) => providerId !== null && providerId !== id

/** Finishes a refund that the provider has made, if nobody has. */
async function hearOfRefund(db: Db, log: Logger, refundId: string, providerId: string) {
  const refund = await readRefund(db, refundId)
  if (refund?.status !== 'pending') return
  const payment = await findPayment(db, refund.paymentId)
  if (payment?.providerId !== providerId) return
  const { isFirst } = await transaction(db, (tx) => finishRefund(tx, refund, 'system'))
  const by = refund.actor ?? 'system'
  if (isFirst) logWithoutRequest(log, 'payment-refunded', refundDetails(refund, payment.currency), by)
}

/** Returns the id of the refund that a key is of (ask.ts), or undefined if it is none of our keys. */
function refundIdIn(key: string | null): string | undefined {
  const [, id = ''] = /^refund:(.+)$/.exec(key ?? '') ?? []
  return isId(id) ? id : undefined
}
