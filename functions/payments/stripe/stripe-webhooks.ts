import { createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { faultOfTime } from '../../../events/signature.ts'
import type { ProviderNews, ProviderWebhooks } from '../provider.ts'
import { PaymentIntent, Refund, toProviderPayment } from './objects.ts'

/**
 * Stripe's webhooks. The header Stripe-Signature has the time and signatures, `t=1795788218,v1=…,v1=…`: each is an
 * HMAC-SHA256 of the time and the body (https://docs.stripe.com/webhooks). The age is checked as that of a delivery.
 */

const Event = z.object({ type: z.string(), data: z.object({ object: z.unknown() }) })

/** @param secrets the secrets of the endpoint, as Stripe shows them: two while one replaces the other */
export const stripeWebhooks = (secrets: readonly string[]): ProviderWebhooks => ({
  verify: (headers, body) => {
    const { time, signatures } = partsOf(headers['stripe-signature']?.toString() ?? '')
    if (time === undefined || signatures.length === 0) return 'It needs the header Stripe-Signature'
    const fault = faultOfTime(Number(time))
    if (fault !== undefined) return fault
    const isSigned = secrets.some((secret) => {
      const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest()
      return signatures.some((each) => each.length === expected.length && timingSafeEqual(each, expected))
    })
    return isSigned ? undefined : 'It is not signed with the secret of this endpoint'
  },
  read: (body) => {
    const { type, data } = Event.parse(JSON.parse(body))
    if (type.startsWith('payment_intent.')) return newsOf(PaymentIntent.parse(data.object))
    return /^(?:refund|charge\.refund)\./.test(type) ? newsOfRefund(Refund.parse(data.object)) : undefined
  },
})

/** Returns the parts of a Stripe-Signature. Signatures of other versions than v1 are not read. */
function partsOf(header: string) {
  const parts = header.split(',').map((part) => part.split('='))
  const [, time] = parts.find(([name]) => name === 't') ?? []
  return {
    time: /^\d{1,12}$/.test(time ?? '') ? time : undefined,
    signatures: parts.flatMap(([name, value]) => (name === 'v1' ? [Buffer.from(value ?? '', 'hex')] : [])),
  }
}

/** Returns undefined if Stripe still works on the payment, and does not say yet what comes of it. */
function newsOf(intent: PaymentIntent): ProviderNews | undefined {
  // a new payment waits for its card, and one that waits for the card's bank may still be paid
  if (intent.status === 'requires_payment_method' && intent.last_payment_error == null) return undefined
  if (intent.status === 'requires_action' || intent.status === 'requires_confirmation') return undefined
  const payment = toProviderPayment(intent)
  return payment && { id: intent.id, payment, refundKey: null }
}

const newsOfRefund = ({ status, metadata, payment_intent: id }: z.infer<typeof Refund>) =>
  status === 'succeeded' ? { id, refundKey: metadata['key'] ?? null } : undefined
