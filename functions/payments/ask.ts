import type { PaymentRow, RefundRow } from './payment.ts'
import {
  ProviderRefused,
  ProviderUnavailable,
  type PaymentProvider,
  type ProviderPayment,
} from './provider.ts'

/**
 * What we ask of the payment provider. Each call carries a key of the payment's own, so that it is done once
 * however often it is asked for; and where the answer is lost, the provider is asked what it did. Each throws
 * where that cannot be known just now: then ask again later.
 */

/** What the provider did, for certain. */
export interface Outcome {
  status: ProviderPayment['status']
  /** The provider's id; null where it was not needed. */
  id: string | null
  /** Why it was not done. */
  reason: string | null
}

const outcome = ({ status, id, declineReason }: ProviderPayment): Outcome => ({
  status,
  id,
  reason: declineReason ?? null,
})

/** A payment of nothing is not the provider's business. */
const withoutProvider = (status: Outcome['status']): Outcome => ({ status, id: null, reason: null })

/** `authorized` or `declined`. */
export async function authorize(provider: PaymentProvider, payment: PaymentRow): Promise<Outcome> {
  const { id: reference, amount, currency, cardToken } = payment
  if (amount === 0) return withoutProvider('authorized')
  const request = { reference, cardToken: cardToken ?? '', amount: { amount, currency } }
  try {
    return outcome(await provider.authorize(request, `authorize:${reference}`))
  } catch (error) {
    const known = await provider.lookUp(reference)
    if (known !== undefined) return outcome(known)
    if (error instanceof ProviderRefused) return { status: 'declined', id: null, reason: error.message }
    throw error
  }
}

/** `captured`, or what it is instead because the provider refuses for good. */
export async function capture(provider: PaymentProvider, payment: PaymentRow): Promise<Outcome> {
  if (payment.providerId === null) return withoutProvider('captured')
  try {
    return outcome(await provider.capture(payment.providerId, `capture:${payment.id}`))
  } catch (error) {
    const known = await provider.lookUp(payment.id)
    if (known?.status === 'captured') return outcome(known)
    if (error instanceof ProviderRefused && known !== undefined)
      return { ...outcome(known), reason: error.message }
    throw error
  }
}

/**
 * `voided`, or `declined` where there is nothing to void. A payment that the provider has not heard of is
 * authorised first: an attempt that is still on its way would come after us, and under its key it cannot.
 */
export async function giveBack(provider: PaymentProvider, payment: PaymentRow): Promise<Outcome> {
  if (payment.amount === 0) return withoutProvider('voided')
  const found = await provider.lookUp(payment.id)
  const known = found === undefined ? await authorize(provider, payment) : outcome(found)
  if (known.status !== 'authorized' || known.id === null) return known
  try {
    return outcome(await provider.void(known.id, `void:${payment.id}`))
  } catch (error) {
    const now = await provider.lookUp(payment.id)
    if (now?.status === 'voided') return outcome(now)
    throw error
  }
}

/** Someone waits for a refund: what took so long, in ms, is not asked for again while they do. */
const soonMs = 2_000

/**
 * Refunds; an answer that is soon known to be lost is asked for once more under its key. Throws `ProviderRefused` where
 * it is not done.
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
