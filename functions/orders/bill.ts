import type { EventData } from '../../events/event.ts'
import { leaveSecret } from '../../events/secrets.ts'
import { billLifetimeMs, type Bill } from '../shared/schemas/bill.ts'
import type { Tx } from '../shared/store/postgres.ts'
import type { OrderRow } from './order.ts'

type Parcel = EventData<'parcel.shipped'>

/** Returns what the invoice of an order states. The lines of orders from before taxes were stored have no tax. */
export function billOf(row: OrderRow, shippedAt: Date): Bill {
  const { amounts } = row
  return {
    ...headOf(row, shippedAt),
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

/** Returns what the invoice of a parcel states. */
export const billOfParcel = (row: OrderRow, { items, shipping }: Parcel, shippedAt: Date): Bill => ({
  ...headOf(row, shippedAt),
  lines: items.flatMap((item) =>
    row.lines
      .filter(({ sku }) => sku === item.sku)
      .slice(0, 1)
      .map(({ name, unitPrice }) => ({ ...item, name, unitPrice })),
  ),
  shipping: shipping && { name: row.amounts?.shipping.name ?? 'Shipping', ...shipping },
})

const headOf = (row: OrderRow, shippedAt: Date) => ({
  customerId: row.customerId,
  currency: row.currency,
  prices: row.amounts?.prices ?? ('gross' as const),
  placedAt: row.placedAt.toISOString(),
  shippedAt: shippedAt.toISOString(),
  address: row.deliveryAddress,
})

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
 */
export const leaveBill = (tx: Tx, row: OrderRow) => leave(tx, row.id, billOf(row, new Date()))

/** Leaves for the invoices what a parcel's invoice states. */
export const leaveBillOfParcel = (tx: Tx, row: OrderRow, parcel: Parcel, shippedAt: Date) =>
  leave(tx, parcel.parcelId, billOfParcel(row, parcel, shippedAt))

/** @param subject what is shipped: the id of the order or of the parcel */
const leave = (tx: Tx, subject: string, bill: Bill) =>
  leaveSecret(tx, 'invoices', subject, JSON.stringify(bill), billLifetimeMs)
