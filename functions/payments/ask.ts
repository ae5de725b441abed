import type { PaymentRow, RefundRow } from './payment.ts'
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
}

/** Returns the outcome that the provider's record of a payment tells. */
export const outcome = ({ status, id, declineReason }: ProviderPayment): Outcome => ({
  status,
  id,
  reason: declineReason ?? null,
})

/** The outcome for a payment of zero, which does not involve the provider. */
const withoutProvider = (status: Outcome['status']): Outcome => ({ status, id: null, reason: null })

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
    return known === undefined
      ? { status: 'declined', id: null, reason: 'the card token has expired' }
      : outcome(known)
  }
  const request = { reference, cardToken, amount: { amount, currency } }
  try {
    return outcome(await provider.authorize(request, `authorize:${reference}`))
  } catch (error) {
    const known = await provider.lookUp(reference)
    if (known !== undefined) return outcome(known)
    if (error instanceof ProviderRefused) return { status: 'declined', id: null, reason: error.message }
    throw error
  }
}

/** Captures a payment. The status is `captured`, or the unchanged one if the provider finally refuses. */
export async function capture(provider: PaymentProvider, payment: PaymentRow): Promise<Outcome> {
  if (payment.providerId === null) return withoutProvider('captured')
  try {
    return outcome(await provider.capture(payment.providerId, `capture:${payment.id}`))
  } catch (error) {
    const known = await provider.lookUp(payment.id, payment.providerId)
    if (known?.status === 'captured') return outcome(known)
    if (error instanceof ProviderRefused && known !== undefined)
      return { ...outcome(known), reason: error.message }
    throw error
  }
}

/**
 * Voids a payment. The status is `voided`, or `declined` if there is nothing to void. A payment that the
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
    if (now?.status === 'voided') return outcome(now)
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
