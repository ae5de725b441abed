import type { Money } from '../shared/schemas/schemas.ts'
import { Unavailable } from '../shared/store/store-errors.ts'

/** What the provider knows of one authorisation. Amounts are in minor units. */
export interface ProviderPayment {
  /** The provider's id. */
  id: string
  /** Our id of the payment. */
  reference: string
  status: 'authorized' | 'captured' | 'voided' | 'declined'
  amount: Money
  captured: number
  refunded: number
  declineReason?: string
}

/**
 * A payment provider, as a real one would have it. Each call carries an idempotency key: repeated, it is done
 * once. A call that times out or is refused for a passing reason throws `ProviderUnavailable`: what happened is
 * then not known, and `lookUp` tells it. A final refusal throws `ProviderRefused`.
 */
export interface PaymentProvider {
  /** Answers with status `declined`, and why, where the card is. */
  authorize(
    request: { reference: string; cardToken: string; amount: Money },
    key: string,
  ): Promise<ProviderPayment>
  /** Captures the whole authorised amount. */
  capture(id: string, key: string): Promise<ProviderPayment>
  void(id: string, key: string): Promise<ProviderPayment>
  /** @param amount in minor units: the whole of what was captured, or a part */
  refund(id: string, amount: number, key: string): Promise<ProviderPayment>
  /** By our reference; undefined where the provider has never heard of it. */
  lookUp(reference: string): Promise<ProviderPayment | undefined>
}

export class ProviderUnavailable extends Unavailable {}
export class ProviderRefused extends Error {}
