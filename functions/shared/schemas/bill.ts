import * as z from 'zod'

/**
 * What an invoice states about an order, as of its shipment. It names a person, so orders leave it for the invoices as
 * a secret, and no event contains it. Amounts are in minor units.
 */
const amount = z.int().min(0)
const taxed = { net: amount, taxRate: amount, tax: amount, gross: amount }

export const Bill = z.object({
  customerId: z.uuid(),
  currency: z.string(),
  /** Whether unit prices and discounts include tax. */
  prices: z.enum(['gross', 'net']),
  placedAt: z.iso.datetime(),
  shippedAt: z.iso.datetime(),
  /** Where it is delivered; null if the customer was deleted before. */
  address: z
    .object({
      name: z.string(),
      street: z.string(),
      postalCode: z.string(),
      city: z.string(),
      country: z.string(),
    })
    .nullable(),
  lines: z.array(
    z.object({
      sku: z.string(),
      name: z.string(),
      quantity: z.int().min(1),
      unitPrice: amount,
      discount: amount,
      ...taxed,
    }),
  ),
  shipping: z.object({ name: z.string(), ...taxed }).nullable(),
})
export type Bill = z.infer<typeof Bill>

/** How long a bill is kept if its payment is not captured, in ms: longer than any outage of the payment provider. */
export const billLifetimeMs = 30 * 24 * 60 * 60 * 1000
