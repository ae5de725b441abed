import * as z from 'zod'
import {
  ProviderRefused,
  ProviderUnavailable,
  type PaymentProvider,
  type ProviderPayment,
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

interface Init {
  method?: string
  headers?: Record<string, string>
  body?: string
}

const Found = z.object({ items: z.array(Payment).max(1) })

/** Statuses that concern the caller or its request rate, not the payment: a later call may succeed. */
const passing = new Set([401, 403, 408, 425, 429])

/**
 * Returns a client of the payment provider's HTTP API (see docs/payment-sandbox.md).
 * @param timeoutMs how long a call may take, in ms; after that it throws ProviderUnavailable
 */
export function httpProvider(url: string, apiKey: string, { timeoutMs = 8_000 } = {}): PaymentProvider {
  const authorization = `Bearer ${apiKey}`

  async function call<T>(
    schema: z.ZodType<T>,
    path: string,
    { headers = {}, ...init }: Init = {},
  ): Promise<T> {
    try {
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: { ...headers, authorization },
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.ok) return schema.parse(await response.json())
      const why = await reasonOf(response)
      if (response.status < 500 && !passing.has(response.status)) throw new ProviderRefused(why)
      throw new Error(`it answered ${response.status}: ${why}`)
    } catch (error) {
      if (error instanceof ProviderRefused) throw error
      throw new ProviderUnavailable(
        `payment provider: ${error instanceof Error ? error.message : 'failed'}`,
        {
          cause: error,
        },
      )
    }
  }

  const post = (path: string, key: string, body: object = {}) =>
    call(Payment, path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    })

  return {
    authorize: (request, key) => post('/v1/authorizations', key, request),
    capture: (id, key) => post(`/v1/payments/${id}/capture`, key),
    void: (id, key) => post(`/v1/payments/${id}/void`, key),
    refund: (id, amount, key) => post(`/v1/payments/${id}/refunds`, key, { amount }),
    lookUp: async (reference) =>
      (await call(Found, `/v1/payments?reference=${encodeURIComponent(reference)}`)).items[0],
  }
}

/** Returns the `detail` of a problem document, or the HTTP status text if there is none. */
async function reasonOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    return z.object({ detail: z.string() }).parse(JSON.parse(text)).detail
  } catch {
    return response.statusText
  }
}
