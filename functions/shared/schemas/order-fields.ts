import * as z from 'zod'
import { CardToken } from './card-token.ts'
import { CouponCodes } from './coupon-codes.ts'
import { onShortages } from './on-shortage.ts'
import { Address, Money, text as Text } from './schemas.ts'

/** What a customer states to order, whether from a cart or directly. */
export const orderFields = {
  expectedTotal: Money.optional().meta({
    description: 'The total that the customer saw. The order is refused if it would cost something else.',
  }),
  deliveryAddress: Address,
  shippingMethod: z.string().min(1).max(32).optional().meta({
    description: 'One of GET /api/v1/shipping-methods; the default one if it is not set.',
    example: 'standard',
  }),
  couponCodes: CouponCodes.optional(),
  onShortage: z.enum(onShortages).optional().meta({
    description:
      'What becomes of the order if only a part of it is there: `cancel` it (the default), leave the rest out (`partial`), or `ask` the customer, who has a day to decide. An order of which nothing is there is cancelled.',
  }),
  note: Text(1000).optional(),
  payment: z.strictObject({
    cardToken: CardToken.meta({
      description: 'A token of the payment provider; see docs/payment-sandbox.md for the test cards.',
      example: 'card_approved',
    }),
  }),
}
