import { STATUS_CODES } from 'node:http'
import * as z from 'zod'
import { get, post } from '../../shared/http/client.ts'
import type { Config } from '../../shared/process/config.ts'
import { calling, isFinal } from '../provider-call.ts'
import {
  ProviderRefused,
  ProviderUnavailable,
  type CapturedPart,
  type OpenedProvider,
  type PaymentProvider,
} from '../provider.ts'
import { PaymentIntent, Refund, StripeError, toProviderPayment } from './objects.ts'
import { stripeWebhooks } from './stripe-webhooks.ts'

/** The version of Stripe's API that the requests and answers here are of. */
const apiVersion = '2024-06-20'

const Found = z.object({ data: z.array(PaymentIntent) })

/** The parameters of a request, which Stripe takes as a form. */
type Form = Readonly<Record<string, string | number>>

/** The charge of an answer says how much was refunded. */
const withCharge = { 'expand[]': 'latest_charge' }

/**
 * Returns a client of Stripe's API (https://docs.stripe.com/api). It has no SDK, which would be most of the image and
 * repeats requests by itself.
 * @param options `timeoutMs`: how long a call may take, in ms; after that it throws ProviderUnavailable. `multicapture`:
 *   whether the account may capture a payment several times (https://docs.stripe.com/payments/multicapture).
 */
export function stripeProvider(
  url: string,
  apiKey: string,
  { timeoutMs = 8_000, multicapture = false } = {},
): PaymentProvider {
  const common = { authorization: `Bearer ${apiKey}`, 'stripe-version': apiVersion }

  async function call<T>(schema: z.ZodType<T>, sending: ReturnType<typeof get>): Promise<T> {
    const { status, answer } = await sending
    if (status >= 200 && status < 300) return schema.parse(JSON.parse(answer))
    const { type, message, payment_intent: intent } = errorIn(answer)
    const why = message ?? STATUS_CODES[status] ?? 'unknown status'
    // 409: a request with the same key, or another one on the same payment, is still running
    if (!isFinal(status) || status === 409 || type === 'idempotency_error')
      throw new Error(`it answered ${status}: ${why}`)
    throw new StripeRefused(why, status, intent)
  }

  const read = <T>(what: string, schema: z.ZodType<T>, path: string, query: Form) =>
    calling(what, () => call(schema, get(`${url}${path}?${form(query)}`, { headers: common, timeoutMs })))

  const change = <T>(what: string, schema: z.ZodType<T>, path: string, key: string, fields: Form) =>
    calling(what, () =>
      call(
        schema,
        post(`${url}${path}`, {
          headers: {
            ...common,
            'content-type': 'application/x-www-form-urlencoded',
            'idempotency-key': key,
          },
          body: form(fields),
          timeoutMs,
        }),
      ),
    )

  const changePayment = async (what: string, path: string, key: string, fields: Form = {}) =>
    known(await change(what, PaymentIntent, `/v1/payment_intents${path}`, key, { ...fields, ...withCharge }))

  async function authorize(
    { reference, cardToken, amount }: Parameters<PaymentProvider['authorize']>[0],
    key: string,
  ) {
    try {
      return await changePayment('authorize', '', key, {
        amount: amount.amount,
        currency: amount.currency.toLowerCase(),
        payment_method: cardToken,
        'payment_method_types[]': 'card',
        capture_method: 'manual',
        confirm: 'true',
        // nobody is there whom the bank could ask
        error_on_requires_action: 'true',
        'metadata[reference]': reference,
        ...(multicapture && { 'payment_method_options[card][request_multicapture]': 'if_available' }),
      })
    } catch (error) {
      // a declined card is an error to Stripe, but it has the payment
      if (!(error instanceof StripeRefused && error.status === 402 && error.intent)) throw error
      const payment = toProviderPayment(error.intent)
      if (payment?.status !== 'declined') throw error
      return { ...payment, declineReason: error.message }
    }
  }

  async function capture(id: string, { amount, isLast }: CapturedPart, key: string) {
    // Stripe would give the rest back, and the other parcels could not be paid
    if (!isLast && !multicapture)
      throw new ProviderRefused('a part cannot be captured without PAYMENT_MULTICAPTURE=on')
    return changePayment('capture', `/${id}/capture`, key, {
      ...(amount !== undefined && { amount_to_capture: amount }),
      ...(!isLast && { final_capture: 'false' }),
    })
  }

  async function refund(id: string, amount: number, key: string) {
    const asked = await change('refund', Refund, '/v1/refunds', key, {
      payment_intent: id,
      amount,
      // webhooks about the refund have it
      'metadata[key]': key,
    })
    // a repeated request gets the first answer, however old that is
    const made =
      asked.status === 'pending' ? await read('look up', Refund, `/v1/refunds/${asked.id}`, {}) : asked
    if (made.status === 'failed' || made.status === 'canceled')
      throw new ProviderRefused(made.failure_reason ?? `the refund is ${made.status}`)
    if (made.status !== 'succeeded')
      throw new ProviderUnavailable(`payment provider: the refund is ${made.status}`)
    return known(await byId(id))
  }

  const byId = (id: string) =>
    read('look up', PaymentIntent, `/v1/payment_intents/${encodeURIComponent(id)}`, withCharge)

  async function lookUp(reference: string, id?: string | null) {
    const found = id == null ? await search(reference) : await byId(id).catch(undefinedIfMissing)
    return found === undefined ? undefined : known(found)
  }

  /**
   * Finds a payment by its metadata. A payment is found only some seconds after it was made. Until then, the request
   * that made it can be repeated with its key.
   */
  async function search(reference: string) {
    const query = `metadata['reference']:'${reference.replaceAll(/['\\]/g, '\\$&')}'`
    const expand = { 'expand[]': 'data.latest_charge' }
    const { data } = await read('look up', Found, '/v1/payment_intents/search', { query, ...expand })
    return data[0]
  }

  return {
    authorize,
    capture,
    void: (id, key) => changePayment('void', `/${id}/cancel`, key),
    refund,
    lookUp,
  }
}

/** Opens Stripe with the settings of the payments functions. */
export const openProvider = (config: Config): OpenedProvider => ({
  provider: stripeProvider(config.need('PAYMENT_PROVIDER_URL'), config.need('PAYMENT_PROVIDER_KEY'), {
    multicapture: config.get('PAYMENT_MULTICAPTURE') === 'on',
  }),
  webhooks: stripeWebhooks(config.need('PAYMENT_WEBHOOK_KEYS').split(' ')),
})

/** @throws ProviderUnavailable if the payment's outcome is not known yet */
function known(intent: PaymentIntent) {
  const payment = toProviderPayment(intent)
  if (payment === undefined) throw new ProviderUnavailable('payment provider: it still processes the payment')
  return payment
}

/** A refusal with its status, and the payment if the error has one. */
class StripeRefused extends ProviderRefused {
  readonly status: number
  readonly intent: PaymentIntent | undefined
  constructor(message: string, status: number, intent: PaymentIntent | undefined) {
    super(message)
    this.status = status
    this.intent = intent
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof StripeRefused && error.status === 404)) throw error
}

const form = (fields: Form) =>
  new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()

function errorIn(answer: string): Partial<z.infer<typeof StripeError>['error']> {
  try {
    return StripeError.parse(JSON.parse(answer)).error
  } catch {
    return {}
  }
}
