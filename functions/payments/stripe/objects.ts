import * as z from 'zod'
import type { ProviderPayment } from '../provider.ts'

/**
 * What the shop reads of Stripe's objects (https://docs.stripe.com/api). A payment is a PaymentIntent that is captured by
 * hand, with our reference in its metadata.
 */

const Metadata = z.record(z.string(), z.string()).default({})

export const PaymentIntent = z.object({
  id: z.string().min(1),
  status: z.enum([
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    'processing',
    'requires_capture',
    'canceled',
    'succeeded',
  ]),
  amount: z.int().min(0),
  amount_received: z.int().min(0).default(0),
  currency: z.string(),
  metadata: Metadata,
  last_payment_error: z.object({ message: z.string().optional() }).nullish(),
  /** Only its id, unless it is expanded. */
  latest_charge: z.union([z.string(), z.object({ amount_refunded: z.int().min(0) })]).nullish(),
})
export type PaymentIntent = z.infer<typeof PaymentIntent>

export const Refund = z.object({
  id: z.string().min(1),
  status: z.enum(['pending', 'requires_action', 'succeeded', 'failed', 'canceled']),
  amount: z.int().min(0),
  metadata: Metadata,
  failure_reason: z.string().nullish(),
  /** The payment's id. */
  payment_intent: z.string(),
})

/** What an error says. That of a declined card has the payment. */
export const StripeError = z.object({
  error: z.object({
    type: z.string(),
    message: z.string().optional(),
    payment_intent: PaymentIntent.optional(),
  }),
})

/**
 * What a status of Stripe's is to the shop. A payment that Stripe waits for, for another card or for the customer, is
 * declined: nobody will send either. Whether one that is being processed will be paid is not known yet.
 */
const statuses: Record<PaymentIntent['status'], ProviderPayment['status'] | undefined> = {
  requires_payment_method: 'declined',
  requires_confirmation: 'declined',
  requires_action: 'declined',
  processing: undefined,
  requires_capture: 'authorized',
  canceled: 'voided',
  succeeded: 'captured',
}

/** Converts a PaymentIntent to a payment. Returns undefined while its outcome is not known. */
export function toProviderPayment(intent: PaymentIntent): ProviderPayment | undefined {
  const status = statuses[intent.status]
  if (status === undefined) return undefined
  const charge = intent.latest_charge
  const declineReason = intent.last_payment_error?.message ?? 'the card was declined'
  return {
    id: intent.id,
    reference: intent.metadata['reference'] ?? '',
    status,
    amount: { amount: intent.amount, currency: intent.currency.toUpperCase() },
    captured: intent.amount_received,
    refunded: typeof charge === 'object' && charge !== null ? charge.amount_refunded : 0,
    ...(status === 'declined' && { declineReason }),
  }
}
