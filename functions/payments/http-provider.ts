import { STATUS_CODES } from 'node:http'
import * as z from 'zod'
import { createVerifier, readKeys } from '../../events/signature.ts'
import type { Config } from '../shared/process/config.ts'
import { get, post } from '../shared/http/client.ts'
import { calling, isFinal } from './provider-call.ts'
import {
  ProviderRefused,
  type OpenedProvider,
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
    const refundKey = type === 'payment.refunded' ? data.idempotencyKey : null
    return { id: data.payment.id, payment: data.payment, refundKey }
  },
})

/**
 * Returns a client of the payment provider's HTTP API (see docs/payment-sandbox.md).
 * @param timeoutMs how long a call may take, in ms; after that it throws ProviderUnavailable
 */
export function httpProvider(url: string, apiKey: string, { timeoutMs = 8_000 } = {}): PaymentProvider {
  const authorization = `Bearer ${apiKey}`

  async function call<T>(schema: z.ZodType<T>, sending: ReturnType<typeof get>): Promise<T> {
    const { status, answer } = await sending
    if (status >= 200 && status < 300) return schema.parse(JSON.parse(answer))
    const why = reasonOf(status, answer)
    throw isFinal(status) ? new ProviderRefused(why) : new Error(`it answered ${status}: ${why}`)
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
    capture: (id, { amount }, key) =>
      change('capture', `/v1/payments/${id}/capture`, key, amount === undefined ? {} : { amount }),
    void: (id, key) => change('void', `/v1/payments/${id}/void`, key),
    refund: (id, amount, key) => change('refund', `/v1/payments/${id}/refunds`, key, { amount }),
    lookUp,
  }
}

/** Returns the `detail` of a problem document, or what the HTTP status means if there is none. */
function reasonOf(status: number, answer: string): string {
  try {
    return z.object({ detail: z.string() }).parse(JSON.parse(answer)).detail
  } catch {
    return STATUS_CODES[status] ?? 'unknown status'
  }
}

/** Opens the provider with the settings of the payments functions. */
export const openProvider = (config: Config): OpenedProvider => ({
  provider: httpProvider(config.need('PAYMENT_PROVIDER_URL'), config.need('PAYMENT_PROVIDER_KEY')),
  webhooks: httpWebhooks(readKeys(config, 'PAYMENT_WEBHOOK_KEYS')),
})
