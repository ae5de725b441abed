import { leaveSecret } from '../../events/secrets.ts'
import { Bill, billLifetimeMs } from '../shared/schemas/bill.ts'
import type { Tx } from '../shared/store/postgres.ts'
import type { OrderRow } from './order.ts'

/** Returns what the invoice of an order states. The lines of orders from before taxes were stored have no tax. */
export function billOf(row: OrderRow, now: Date): Bill {
  const { amounts } = row
  return {
    customerId: row.customerId,
    currency: row.currency,
    prices: amounts?.prices ?? 'gross',
    placedAt: row.placedAt.toISOString(),
    shippedAt: now.toISOString(),
    address: row.deliveryAddress,
    lines: row.lines.map(
      ({ sku, name, quantity, unitPrice, discount = 0, net, taxRate = 0, tax = 0, gross }) => {
        const paid = quantity * unitPrice - discount
        return {
          sku,
          name,
          quantity,
          unitPrice,
          discount,
          net: net ?? paid,
          taxRate,
          tax,
          gross: gross ?? paid,
        }
      },
    ),
    shipping: amounts && shippingOf(amounts.shipping),
  }
}

const shippingOf = ({ name, net, taxRate, tax, gross }: NonNullable<Bill['shipping']>) => ({
  name,
  net,
  taxRate,
  tax,
  gross,
})

/**
 * Leaves for the invoices what an order's invoice states, in the transaction that ships it. From then on its address
 * does not change.
 * @param subject what is shipped: the id of the order
 */
export const leaveBill = (tx: Tx, row: OrderRow, subject: string = row.id) =>
  leaveSecret(tx, 'invoices', subject, JSON.stringify(billOf(row, new Date())), billLifetimeMs)
