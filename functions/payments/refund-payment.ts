import { firstAnswer, once } from '../shared/change.ts'
import { inFlight, reused, type IdempotencyKey } from '../shared/idempotency.ts'
import { operation } from '../shared/operation.ts'
import type { Tx } from '../shared/postgres.ts'
import { Problem } from '../shared/problems.ts'
import { IdParam } from '../shared/schemas.ts'
import { refund as askForRefund } from './ask.ts'
import { idempotencyKeys, isPayment, left, NewRefund, Refund, toRefund } from './payment.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'
import { beginRefund, failRefund, finishRefund, lockPayment, noPayment, pendingRefund } from './store.ts'

/**
 * In three steps, so that no lock is held while the provider is asked: reserve the amount, ask, finish. A
 * request that is repeated after a crash in between carries the same refund on.
 */
export const refundPayment = operation(
  'refund-payment',
  {
    request: { params: IdParam, body: NewRefund },
    responses: { 201: Refund },
    problems: [
      'not-found',
      'wrong-payment-status',
      'refund-too-large',
      'payment-provider-failed',
      'payment-provider-unavailable',
    ],
    headers: ['Location'],
  },
  async ({ params, body, key, json, traceparent, hono }, { db, provider }) => {
    const begun = await db.transaction((tx) => begin(tx, params.id, body, key))
    if (begun instanceof Response) return begun
    const { payment, refund } = begun
    try {
      await askForRefund(provider, payment, refund)
    } catch (error) {
      if (error instanceof ProviderUnavailable) throw unavailable()
      if (!(error instanceof ProviderRefused)) throw error
      await db.transaction((tx) => failRefund(tx, refund))
      throw new Problem('payment-provider-failed', { detail: `Nothing was refunded: ${error.message}.` })
    }
    return once(db, idempotencyKeys, key, async (tx) => {
      const done = await finishRefund(tx, refund, traceparent)
      const location = hono.req.path.replace(/\/refunds$/, '')
      return json(toRefund(done, payment.currency), 201, { location })
    })
  },
)

/** The first answer where there is one; else the refund that this request has begun, or begins now. */
async function begin(tx: Tx, id: string, request: NewRefund, key: IdempotencyKey) {
  const payment = await lockPayment(tx, { id })
  const answer = await firstAnswer(tx, idempotencyKeys, key)
  if (answer !== undefined) return answer
  if (!isPayment(payment)) throw noPayment()
  const pending = await pendingRefund(tx, key)
  if (pending !== undefined) {
    if (pending.hash !== key.hash) throw reused()
    return { payment, refund: pending }
  }
  if (payment.status !== 'captured')
    throw new Problem('wrong-payment-status', {
      detail: `It is ${payment.status}: only what was captured can be refunded.`,
    })
  const { amount = left(payment), reason } = request
  if (amount === 0 || amount > left(payment))
    throw new Problem('refund-too-large', { detail: `${left(payment)} (minor units) can still be refunded.` })
  const refund = await beginRefund(tx, payment, { amount, reason }, key)
  if (refund === undefined) throw inFlight()
  return { payment, refund }
}

const unavailable = () =>
  new Problem('payment-provider-unavailable', {
    detail: 'The refund is begun: send the same request again, with the same Idempotency-Key, to finish it.',
    headers: { 'retry-after': '5' },
  })
