import type { Books, Finding } from './checker.ts'

interface Item {
  sku: string
  quantity: number
}

/** What the checker reads of parcels. */
export interface ParcelBooks {
  parcels: { id: string; order_id: string; status: string; packed: Item[]; amount: number | null }[]
  /** What the payments domain has captured for parcels, and for orders that were shipped as a whole. */
  captures: { payment_id: string; parcel_id: string | null; amount: number; status: string }[]
  /** What customers keep of cancelled orders. */
  keptParcels: { order_id: string; parcel_id: string; items: Item[] }[]
}

/** The queries that read them. */
export const parcelQueries = {
  parcels: 'select id, shipment_id as order_id, status, packed, amount from shipments.parcels',
  captures: 'select payment_id, parcel_id, amount, status from payments.captures',
  keptParcels: `
    select subject as order_id, kept->>'parcelId' as parcel_id, kept->'items' as items
    from events.outbox, jsonb_array_elements(data->'kept') as kept where type = 'order.cancelled' and data ? 'kept'`,
} as const

const left = new Set(['shipped', 'delivered', 'failed', 'recalled'])

/** Checks that no more is in an order's parcels than was ordered, and that each is paid once. */
export function parcels({ orders, parcels, payments, captures, journal }: Books): Finding {
  const violations: string[] = []
  const orderOf = new Map(orders.map((order) => [order.id, order]))
  const paymentOf = new Map(payments.map((payment) => [payment.order_id, payment]))
  const asked = Map.groupBy(
    journal.filter(({ operation, outcome }) => operation === 'capture' && outcome === 'done'),
    ({ key }) => key,
  )
  for (const [id, all] of Map.groupBy(parcels, ({ order_id }) => order_id)) {
    const order = orderOf.get(id)
    const ordered = sumsOf(order?.lines ?? [])
    const packed = sumsOf(all.filter(({ status }) => status !== 'cancelled').flatMap((one) => one.packed))
    for (const [sku, quantity] of packed)
      if (quantity > (ordered.get(sku) ?? 0))
        violations.push(`order ${id} has ${ordered.get(sku) ?? 0} of ${sku}, and ${quantity} in its parcels`)
    const payment = paymentOf.get(id)
    for (const parcel of all.filter(({ status }) => left.has(status))) {
      const own = captures.filter((one) => one.parcel_id === parcel.id && one.status === 'done')
      const atProvider = asked.get(`capture:${payment?.id}:${parcel.id}`) ?? []
      const times = Math.max(own.length, atProvider.length)
      // an order that was shipped as a whole at the same moment is paid as a whole
      const isWhole = captures.some((one) => one.payment_id === payment?.id && one.parcel_id === null)
      if (times > 1 || (times === 0 && order?.status === 'completed' && !isWhole))
        violations.push(`parcel ${parcel.id} of order ${id} is captured ${times} times`)
      for (const { amount } of [...own, ...atProvider])
        if (amount !== parcel.amount && !isWhole)
          violations.push(`parcel ${parcel.id} costs ${parcel.amount}, and ${amount} is captured for it`)
    }
  }
  const shipped = new Set(parcels.filter(({ status }) => left.has(status)).map(({ id }) => id))
  for (const { parcel_id: id } of captures)
    if (id !== null && !shipped.has(id)) violations.push(`parcel ${id} is paid, and was not shipped`)
  return {
    name: 'I11',
    what: 'parcels contain at most what was ordered; each that was shipped is captured once',
    figures: `${parcels.length} parcels, ${captures.length} captures`,
    violations,
  }
}

/** The total quantity of each SKU. */
export function sumsOf(items: readonly Item[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { sku, quantity } of items) found.set(sku, (found.get(sku) ?? 0) + quantity)
  return found
}

/** Returns what is captured of an order for parcels that its customer keeps although it is cancelled. */
export function keptAmount({ keptParcels, captures }: Books, orderId: string): number {
  const ids = new Set(
    keptParcels.filter(({ order_id }) => order_id === orderId).map(({ parcel_id }) => parcel_id),
  )
  return captures
    .filter(({ parcel_id, status }) => parcel_id !== null && ids.has(parcel_id) && status === 'done')
    .reduce((sum, { amount }) => sum + amount, 0)
}

/** Returns what the customer of a cancelled order keeps, as quantities of SKUs. */
export const keptItems = ({ keptParcels }: Books, orderId: string): Map<string, number> =>
  sumsOf(keptParcels.filter(({ order_id }) => order_id === orderId).flatMap(({ items }) => items))
