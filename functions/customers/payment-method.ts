import * as z from 'zod'
import type { User } from '../shared/auth/access-token.ts'
import { Problem } from '../shared/http/problems.ts'
import { pageOf } from '../shared/http/paging.ts'
import { CardToken } from '../shared/schemas/card-token.ts'
import { changeOf, Id, Timestamp } from '../shared/schemas/schemas.ts'
import { pathOf, type PaymentMethodRow } from './customer.ts'

/** The schemas of saved payment methods. */

export const PaymentMethodParams = z.object({ id: Id, methodId: Id })

/** Without digits, so that it cannot be a card number. */
const Brand = z
  .string()
  .regex(/^[a-z][a-z_]{1,29}$/, 'a brand as the payment provider names it, such as visa')
  .meta({ example: 'visa' })

const Last4 = z
  .string()
  .regex(/^\d{4}$/, 'the last four digits of the card, as the payment provider states them')
  .meta({ example: '4242' })

const Expires = z
  .string()
  .regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, 'the last month in which the card can be used, such as 2030-07')
  .meta({ example: '2030-07' })

export const PaymentMethod = z
  .object({
    id: Id,
    brand: z.string(),
    last4: z.string(),
    expires: z.string().nullable().meta({ description: 'The last month in which it can be used.' }),
    cardToken: z.string().optional().meta({
      description: 'To pay for an order with. Only the customer gets it, and not staff.',
    }),
    isDefault: z.boolean().meta({ description: 'One is the default, unless there are none.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'PaymentMethod' })
export type PaymentMethod = z.infer<typeof PaymentMethod>

export const PaymentMethods = pageOf(PaymentMethod, 'PaymentMethods')

export const NewPaymentMethod = z
  .strictObject({
    cardToken: CardToken.meta({
      description: 'A token of the payment provider that can be used again.',
      example: 'card_approved',
    }),
    brand: Brand,
    last4: Last4,
    expires: Expires.optional(),
    isDefault: z.boolean().default(false).meta({ description: 'The first one is the default in any case.' }),
  })
  .meta({ id: 'NewPaymentMethod' })

export const PaymentMethodChange = changeOf(
  {
    expires: Expires.optional(),
    isDefault: z.literal(true, 'make another one the default instead').optional(),
  },
  'PaymentMethodChange',
)

/** Converts a row to the API's payment method, as the caller may see it. */
export const toPaymentMethod = (row: PaymentMethodRow, caller: User): PaymentMethod => ({
  id: row.id,
  brand: row.brand,
  last4: row.last4,
  expires: row.expires,
  ...(caller.id === row.customerId && { cardToken: row.cardToken }),
  isDefault: row.isDefault,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

export const paymentMethodPath = (customerId: string, id: string) =>
  `${pathOf(customerId)}/payment-methods/${id}`

export const noSuchPaymentMethod = () =>
  new Problem('not-found', { detail: 'There is no such payment method.' })
