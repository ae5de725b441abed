import { firstAnswer, once, transaction } from '../shared/store/transaction.ts'
import { inFlight, reused, type IdempotencyKey } from '../shared/store/idempotency.ts'
import { operation } from '../shared/http/operation.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { Problem } from '../shared/http/problems.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { refund as askForRefund } from './ask.ts'
import { idempotencyKeys, isPayment, left, NewRefund, Refund, refundDetails, toRefund } from './payment.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import { beginRefund, begunRefund, failRefund, finishRefund, lockPayment, noPayment } from './store.ts'
import { problems } from './problems.ts'

/**
 * A refund has three steps: reserve the amount, call the provider, finish. No lock is held during the call.
 * If the process crashes in between, `finish-refund` or a retry of the same request finishes the refund.
 */
export const refundPayment = operation(
  'refund-payment',
  {
    request: { params: IdParam, body: NewRefund },
    responses: { 201: Refund },
    problems: [
      'not-found',
      problems['wrong-payment-status'],
      problems['refund-too-large'],
      problems['payment-provider-failed'],
      problems['payment-provider-unavailable'],
    ],
    headers: ['Location'],
  },
  async ({ params, body, key, logSecurity, json }, { db, provider }) => {
    const begun = await transaction(db, (tx) => begin(tx, params.id, body, key))
    if (begun instanceof Response) return begun
    const { payment, refund } = begun
    try {
      if (refund.status === 'pending') await askForRefund(provider, payment, refund)
    } catch (error) {
      if (error instanceof ProviderUnavailable) throw unavailable()
      if (!(error instanceof ProviderRefused)) throw error
      await transaction(db, (tx) => failRefund(tx, refund))
      throw new Problem(problems['payment-provider-failed'], {
        detail: `Nothing was refunded: ${error.message}.`,
      })
    }
    // otherwise `finish-refund` has finished it, and logged it
    let isFirst = false
    const response = await once(db, idempotencyKeys, key, async (tx) => {
      const finished = await finishRefund(tx, refund)
      isFirst = finished.isFirst
      return json(toRefund(finished.done, payment.currency), 201, {
        location: `/api/v1/payments/${payment.id}`,
      })
    })
    if (isFirst) logSecurity('payment-refunded', refundDetails(refund, payment.currency))
    return response
  },
)

/**
 * Returns the stored answer if there is one, and otherwise the refund that this request began before or
 * begins now.
 * @throws Problem if the payment does not allow the refund, or the key was used for another request
 */
async function begin(tx: Tx, id: string, request: NewRefund, key: IdempotencyKey) {
  const payment = await lockPayment(tx, { id })
  const answer = await firstAnswer(tx, idempotencyKeys, key)
  if (answer !== undefined) return answer
  if (!isPayment(payment)) throw noPayment()
  const begun = await begunRefund(tx, key)
  if (begun !== undefined) {
    if (begun.hash !== key.hash) throw reused()
    return { payment, refund: begun }
  }
  if (payment.status !== 'captured' && payment.status !== 'partly_captured')
    throw new Problem(problems['wrong-payment-status'], {
      detail: `It is ${payment.status}: only what was captured can be refunded.`,
    })
  const { amount = left(payment), reason } = request
  if (amount === 0 || amount > left(payment))
    throw new Problem(problems['refund-too-large'], {
      detail: `${left(payment)} (minor units) can still be refunded.`,
    })
  const refund = await beginRefund(tx, payment, { amount, reason }, key)
  if (refund === undefined) throw inFlight()
  return { payment, refund }
}

const unavailable = () =>
  new Problem(problems['payment-provider-unavailable'], {
    detail:
      'The refund is begun and will be finished: send the same request again, with the same Idempotency-Key, to hear of it.',
    headers: { 'retry-after': '5' },
  })
