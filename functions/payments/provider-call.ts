import { inSpan } from '../shared/telemetry/telemetry.ts'
import { errorCode } from '../shared/store/store-errors.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'

/** Statuses that concern the caller or its request rate, not the payment: a later call may succeed. */
const passing = new Set([401, 403, 408, 425, 429])

/** Whether an answer with this status is the provider's final word on the payment. */
export const isFinal = (status: number) => status >= 400 && status < 500 && !passing.has(status)

/**
 * Calls the provider in a span. Whatever fails, except for a refusal, leaves the outcome unknown.
 * @throws ProviderRefused, or ProviderUnavailable
 */
export const calling = <R>(what: string, call: (traced: { traceparent?: string }) => Promise<R>) =>
  inSpan({ name: `payment provider: ${what}`, kind: 'client' }, async (span) => {
    try {
      return await call(span === undefined ? {} : { traceparent: span.traceparent })
    } catch (error) {
      if (error instanceof ProviderRefused) throw error
      throw new ProviderUnavailable(`payment provider: ${describe(error)}`, { cause: error })
    }
  })

/** An error about several addresses has no message of its own. */
const describe = (error: unknown) =>
  error instanceof Error ? error.message || (errorCode(error) ?? error.name) : 'failed'
