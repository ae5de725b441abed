import type { Money } from '../shared/schemas/schemas.ts'
import { Unavailable } from '../shared/store/store-errors.ts'

/** The provider's record of a payment. Amounts are in minor units. */
export interface ProviderPayment {
  /** The provider's id. */
  id: string
  /** Our id for the payment. */
  reference: string
  status: 'authorized' | 'captured' | 'voided' | 'declined'
  amount: Money
  captured: number
  refunded: number
  declineReason?: string
}

/**
 * A payment provider, modelled on real ones. Every call that changes something has an idempotency key, so the
 * provider does it only once if it is repeated. A call that times out or fails for a temporary reason throws
 * `ProviderUnavailable`. Its outcome is then unknown; `lookUp` returns it. A final refusal throws
 * `ProviderRefused`.
 */
export interface PaymentProvider {
  /** Resolves with status `declined` and a `declineReason` if the card is declined. */
  authorize(
    request: { reference: string; cardToken: string; amount: Money },
    key: string,
  ): Promise<ProviderPayment>
  /** Captures the whole authorised amount. */
  capture(id: string, key: string): Promise<ProviderPayment>
  void(id: string, key: string): Promise<ProviderPayment>
  /** @param amount in minor units: all or part of the captured amount */
  refund(id: string, amount: number, key: string): Promise<ProviderPayment>
  /** Finds a payment by our reference. Resolves with undefined if the provider does not have it. */
  lookUp(reference: string): Promise<ProviderPayment | undefined>
}

export class ProviderUnavailable extends Unavailable {}
export class ProviderRefused extends Error {}
