import type { CaptureRow, PaymentRow, RefundRow } from './payment.ts'
import {
  ProviderRefused,
  ProviderUnavailable,
  type PaymentProvider,
  type ProviderPayment,
} from './provider.ts'

/**
 * The calls to the payment provider. Each sends an idempotency key made from the payment's or refund's id, so
 * the provider does it once, however often it is called. If an answer is lost, authorising, capturing and
 * voiding look up what the provider did. They throw if the outcome cannot be found out; the caller retries
 * later.
 */

/** The confirmed outcome of a call. */
export interface Outcome {
  status: ProviderPayment['status']
  /** The provider's id; null if the provider was not involved or has no payment. */
  id: string | null
  /** Why the provider refused; null if it did not. */
  reason: string | null
  /** How much is captured of the payment in all, in minor units. */
  captured: number
}

/** Returns the outcome that the provider's record of a payment tells. */
export const outcome = ({ status, id, declineReason, captured }: ProviderPayment): Outcome => ({
  status,
  id,
  reason: declineReason ?? null,
  captured,
})

/** The outcome for an amount of zero, which does not involve the provider. */
const withoutProvider = (status: Outcome['status'], captured = 0): Outcome => ({
  status,
  id: null,
  reason: null,
  captured,
})

const declined = (reason: string): Outcome => ({ status: 'declined', id: null, reason, captured: 0 })

/**
 * Authorises a payment. The status is normally `authorized` or `declined`.
 * @param cardToken undefined if it is no longer kept; a payment that the provider does not have is then declined
 */
export async function authorize(
  provider: PaymentProvider,
  payment: Pick<PaymentRow, 'id' | 'amount' | 'currency'>,
  cardToken: string | undefined,
): Promise<Outcome> {
  const { id: reference, amount, currency } = payment
  if (amount === 0) return withoutProvider('authorized')
  if (cardToken === undefined) {
    const known = await provider.lookUp(reference)
    return known === undefined ? declined('the card token has expired') : outcome(known)
  }
  const request = { reference, cardToken, amount: { amount, currency } }
  try {
    return outcome(await provider.authorize(request, `authorize:${reference}`))
  } catch (error) {
    const known = await provider.lookUp(reference)
    if (known !== undefined) return outcome(known)
    if (error instanceof ProviderRefused) return declined(error.message)
    throw error
  }
}

/**
 * Captures a part of a payment, or all of it. What is `captured` then includes it, or is unchanged if the provider finally
 * refuses.
 */
export async function capture(
  provider: PaymentProvider,
  payment: PaymentRow,
  { amount, parcelId }: Pick<CaptureRow, 'amount' | 'parcelId'>,
): Promise<Outcome> {
  const after = payment.captured + amount
  if (payment.providerId === null || amount === 0)
    return withoutProvider(after === payment.amount ? 'captured' : 'authorized', after)
  const part = {
    amount: amount === payment.amount ? undefined : amount,
    isLast: after === payment.amount,
  }
  const key = parcelId === null ? `capture:${payment.id}` : `capture:${payment.id}:${parcelId}`
  try {
    return outcome(await provider.capture(payment.providerId, part, key))
  } catch (error) {
    const known = await provider.lookUp(payment.id, payment.providerId)
    if (known !== undefined && known.captured >= after) return outcome(known)
    if (error instanceof ProviderRefused && known !== undefined)
      return { ...outcome(known), reason: error.message }
    throw error
  }
}

/**
 * Voids a payment, or the rest of one of which a part was captured. The status is `voided`, `declined` if there is nothing
 * to void, or `captured` if a part stays captured. A payment that the
 * provider does not have is authorised first, with the usual key. Otherwise an authorisation that is still
 * under way could reach the provider later and hold the money.
 */
export async function giveBack(
  provider: PaymentProvider,
  payment: PaymentRow,
  cardToken: string | undefined,
): Promise<Outcome> {
  if (payment.amount === 0) return withoutProvider('voided')
  const found = await provider.lookUp(payment.id, payment.providerId)
  const known = found === undefined ? await authorize(provider, payment, cardToken) : outcome(found)
  if (known.status !== 'authorized' || known.id === null) return known
  try {
    return outcome(await provider.void(known.id, `void:${payment.id}`))
  } catch (error) {
    const now = await provider.lookUp(payment.id, payment.providerId)
    if (now !== undefined && now.status !== 'authorized') return outcome(now)
    throw error
  }
}

/** A refund attempt that took longer than this is not retried while the caller waits, in ms. */
const soonMs = 2_000

/**
 * Refunds. If the provider is unavailable and the call fails within 2 s, it is retried once with the same
 * key.
 * @throws ProviderRefused if the provider refuses
 * @throws ProviderUnavailable if the outcome is not known
 */
export async function refund(provider: PaymentProvider, payment: PaymentRow, refund: RefundRow) {
  const ask = () => provider.refund(payment.providerId ?? '', refund.amount, `refund:${refund.id}`)
  const began = performance.now()
  try {
    await ask()
  } catch (error) {
    if (!(error instanceof ProviderUnavailable) || performance.now() - began > soonMs) throw error
    await ask()
  }
}
