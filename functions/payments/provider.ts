import type { Headers } from '../../events/signature.ts'
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

/** What is captured of a payment. */
export interface CapturedPart {
  /** In minor units; undefined for the whole authorised amount. */
  amount: number | undefined
  /** Whether nothing is left of it then. */
  isLast: boolean
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
  /**
   * Captures what is authorised, or a part of it. The payment stays `authorized` while a rest is left. Providers that
   * capture only once give the rest back then.
   */
  capture(id: string, part: CapturedPart, key: string): Promise<ProviderPayment>
  /** Gives back what is authorised. A payment of which a part was captured is `captured` then, and that part stays. */
  void(id: string, key: string): Promise<ProviderPayment>
  /** @param amount in minor units: all or part of the captured amount */
  refund(id: string, amount: number, key: string): Promise<ProviderPayment>
  /**
   * Finds a payment by our reference. Resolves with undefined if the provider does not have it.
   * @param id the provider's id, if it is known, with which some providers find it sooner
   */
  lookUp(reference: string, id?: string | null): Promise<ProviderPayment | undefined>
}

/** What a webhook of the provider tells. */
export interface ProviderNews {
  /** The provider's id of the payment. */
  id: string
  /** The payment after the change, if the webhook has it. */
  payment?: ProviderPayment
  /** The idempotency key of the refund that was made; null if none was, or nobody requested it. */
  refundKey: string | null
}

/** The webhooks that a provider sends when a payment has changed there. They may come twice, and in any order. */
export interface ProviderWebhooks {
  /** Returns why a webhook is refused, or undefined if the provider has signed it in the last five minutes. */
  verify: (headers: Headers, body: Uint8Array) => string | undefined
  /**
   * Returns what a webhook tells, or undefined if it is about nothing that the shop waits for.
   * @throws if it is not one of the provider's
   */
  read: (body: string) => ProviderNews | undefined
}

/** A provider, as configured. */
export interface OpenedProvider {
  provider: PaymentProvider
  webhooks: ProviderWebhooks
}

export class ProviderUnavailable extends Unavailable {}
export class ProviderRefused extends Error {}
