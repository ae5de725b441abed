import { STATUS_CODES } from 'node:http'
import * as z from 'zod'
import { createVerifier } from '../../events/signature.ts'
import { get, post } from '../shared/http/client.ts'
import { inSpan } from '../shared/telemetry/telemetry.ts'
import { errorCode } from '../shared/store/store-errors.ts'
import {
  ProviderRefused,
  ProviderUnavailable,
  type PaymentProvider,
  type ProviderPayment,
  type ProviderWebhooks,
} from './provider.ts'

const Payment = z.object({
  id: z.string().min(1),
  reference: z.string(),
  status: z.enum(['authorized', 'captured', 'voided', 'declined']),
  amount: z.object({ amount: z.int().min(0), currency: z.string() }),
  captured: z.int().min(0),
  refunded: z.int().min(0),
  declineReason: z.string().exactOptional(),
}) satisfies z.ZodType<ProviderPayment>

const Found = z.object({ items: z.array(Payment).max(1) })

/** A webhook. What else it has is of no interest here. */
const Webhook = z.object({
  type: z.string(),
  data: z.object({ payment: Payment, idempotencyKey: z.string() }),
})

/** Returns the webhooks of the provider's HTTP API, which it signs as Standard Webhooks specifies. */
export const httpWebhooks = (keys: readonly string[]): ProviderWebhooks => ({
  verify: createVerifier(keys),
  read: (body) => {
    const { type, data } = Webhook.parse(JSON.parse(body))
    return { payment: data.payment, refundKey: type === 'payment.refunded' ? data.idempotencyKey : null }
  },
})

/** Statuses that concern the caller or its request rate, not the payment: a later call may succeed. */
const passing = new Set([401, 403, 408, 425, 429])

/**
 * Returns a client of the payment provider's HTTP API (see docs/payment-sandbox.md).
 * @param timeoutMs how long a call may take, in ms; after that it throws ProviderUnavailable
 */
export function httpProvider(url: string, apiKey: string, { timeoutMs = 8_000 } = {}): PaymentProvider {
  const authorization = `Bearer ${apiKey}`

  async function call<T>(schema: z.ZodType<T>, sending: ReturnType<typeof get>): Promise<T> {
    try {
      const { status, answer } = await sending
      if (status >= 200 && status < 300) return schema.parse(JSON.parse(answer))
      const why = reasonOf(status, answer)
      if (status >= 400 && status < 500 && !passing.has(status)) throw new ProviderRefused(why)
      throw new Error(`it answered ${status}: ${why}`)
    } catch (error) {
      if (error instanceof ProviderRefused) throw error
      throw new ProviderUnavailable(`payment provider: ${describe(error)}`, { cause: error })
    }
  }

  const change = (what: string, path: string, key: string, body: object = {}) =>
    calling(what, (traced) =>
      call(
        Payment,
        post(`${url}${path}`, {
          headers: { authorization, 'content-type': 'application/json', 'idempotency-key': key, ...traced },
          body: JSON.stringify(body),
          timeoutMs,
        }),
      ),
    )

  async function lookUp(reference: string) {
    const path = `/v1/payments?reference=${encodeURIComponent(reference)}`
    const { items } = await calling('look up', (traced) =>
      call(Found, get(`${url}${path}`, { headers: { authorization, ...traced }, timeoutMs })),
    )
    return items[0]
  }

  return {
    authorize: (request, key) => change('authorize', '/v1/authorizations', key, request),
    capture: (id, key) => change('capture', `/v1/payments/${id}/capture`, key),
    void: (id, key) => change('void', `/v1/payments/${id}/void`, key),
    refund: (id, amount, key) => change('refund', `/v1/payments/${id}/refunds`, key, { amount }),
    lookUp,
  }
}

/** Calls the provider in a span. */
const calling = <R>(what: string, call: (traced: { traceparent?: string }) => Promise<R>) =>
  inSpan({ name: `payment provider: ${what}`, kind: 'client' }, (span) =>
    call(span === undefined ? {} : { traceparent: span.traceparent }),
  )

/** Returns the `detail` of a problem document, or what the HTTP status means if there is none. */
function reasonOf(status: number, answer: string): string {
  try {
    return z.object({ detail: z.string() }).parse(JSON.parse(answer)).detail
  } catch {
    return STATUS_CODES[status] ?? 'unknown status'
  }
}

/** An error about several addresses has no message of its own. */
const describe = (error: unknown) =>
  error instanceof Error ? error.message || (errorCode(error) ?? error.name) : 'failed'
