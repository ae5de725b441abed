import type { Taxed } from '../shared/schemas/taxed.ts'
import type { BoughtLine, NewReceipt, PurchaseRow, ReceivedItem, ReturnRow } from './return.ts'

/** How many pieces can be sent back, and what they cost. Everything here is pure; amounts are in minor units. */

/** Returns one line for each SKU of an order. The lines of a SKU have the same tax rate. */
export function mergeLines(lines: readonly BoughtLine[]): BoughtLine[] {
  const merged = new Map<string, BoughtLine>()
  for (const { sku, quantity, net, taxRate, tax, gross } of lines) {
    const sum = merged.get(sku) ?? { sku, quantity: 0, net: 0, taxRate, tax: 0, gross: 0 }
    merged.set(sku, {
      sku,
      quantity: sum.quantity + quantity,
      net: sum.net + net,
      taxRate,
      tax: sum.tax + tax,
      gross: sum.gross + gross,
    })
  }
  return [...merged.values()]
}

type Counted = Pick<ReturnRow, 'status' | 'items' | 'received'>

/** Returns how many pieces of a SKU the returns of an order take: those that came back, or still may. */
export const taken = (sku: string, others: readonly Counted[]): number =>
  others.reduce((sum, { status, items, received }) => {
    if (status === 'refused') return sum
    return sum + count(sku, status === 'received' ? (received ?? []) : items)
  }, 0)

const count = (sku: string, items: readonly { sku: string; quantity: number }[]) =>
  items.reduce((sum, item) => (item.sku === sku ? sum + item.quantity : sum), 0)

/** Why a request is refused. */
export interface Refused {
  refused: 'order-not-returnable' | 'return-too-late' | 'not-in-order' | 'too-many-pieces'
  detail: string
  errors?: { pointer: string; detail: string }[]
}

/**
 * Returns why pieces cannot be sent back, or undefined if they can.
 * @param days for how many days after the shipment they can
 * @param others the returns of the order so far
 */
export function refusalOf(
  wanted: readonly { sku: string; quantity: number }[],
  purchase: Pick<PurchaseRow, 'lines' | 'shippedAt' | 'cancelledAt'>,
  others: readonly Counted[],
  { days, now }: { days: number; now: Date },
): Refused | undefined {
  const { lines, shippedAt, cancelledAt } = purchase
  if (cancelledAt !== null)
    return { refused: 'order-not-returnable', detail: 'The order was cancelled: nothing is paid for it.' }
  if (shippedAt === null)
    return {
      refused: 'order-not-returnable',
      detail: 'The order is not shipped yet. Cancel it if you do not want it.',
    }
  if (lines === null)
    return {
      refused: 'order-not-returnable',
      detail: 'It is not known what the lines of this old order cost. Staff can refund them.',
    }
  const until = new Date(shippedAt.getTime() + days * 24 * 60 * 60 * 1000)
  if (now > until)
    return {
      refused: 'return-too-late',
      detail: `Pieces of this order could be sent back until ${until.toISOString()}.`,
    }
  for (const [i, { sku, quantity }] of wanted.entries()) {
    const line = lines.find((one) => one.sku === sku)
    if (line === undefined) {
      const detail = `${sku} is not in this order.`
      return { refused: 'not-in-order', detail, errors: [{ pointer: `/body/items/${i}/sku`, detail }] }
    }
    const left = line.quantity - taken(sku, others)
    if (quantity > left) {
      const detail = `${left} of ${line.quantity} pieces of ${sku} can still be sent back.`
      const errors = [{ pointer: `/body/items/${i}/quantity`, detail }]
      return { refused: 'too-many-pieces', detail, errors }
    }
  }
  return undefined
}

/**
 * Returns what some pieces of a line cost, after those before them. Whatever the sizes of the returns, and in whatever
 * sequence they come, all pieces together cost exactly what the line does.
 * @param before how many pieces have come back already
 */
export function costOf(line: BoughtLine, before: number, pieces: number): Taxed {
  const [from, to] = [upTo(line, before), upTo(line, before + pieces)]
  const [gross, tax] = [to.gross - from.gross, to.tax - from.tax]
  return { net: gross - tax, taxRate: line.taxRate, tax, gross }
}

/**
 * Returns what the first pieces of a line cost. The tax is a part of this gross amount and not of the pieces, so that
 * neither it nor the net amount ever falls from one piece to the next.
 */
function upTo({ quantity, tax, gross }: BoughtLine, pieces: number) {
  const paid = share(gross, pieces, quantity)
  return { gross: paid, tax: gross === 0 ? 0 : share(tax, paid, gross) }
}

/** Returns a part of an amount in proportion, rounded half up. */
const share = (amount: number, part: number, whole: number) =>
  Number((2n * BigInt(amount) * BigInt(part) + BigInt(whole)) / (2n * BigInt(whole)))

/**
 * Returns what came back with what it cost, in the sequence in which staff name it.
 * @param others the other returns of the order
 * @returns or which item is more than was to come back
 */
export function receive(
  { items }: NewReceipt,
  row: Pick<ReturnRow, 'items'>,
  lines: readonly BoughtLine[],
  others: readonly Counted[],
): ReceivedItem[] | { index: number; sku: string; announced: number } {
  const received: ReceivedItem[] = []
  for (const [index, { sku, quantity, restock }] of items.entries()) {
    const announced = count(sku, row.items)
    const line = lines.find((one) => one.sku === sku)
    const now = count(sku, received)
    if (line === undefined || now + quantity > announced) return { index, sku, announced }
    const earlier = taken(
      sku,
      others.filter(({ status }) => status === 'received'),
    )
    received.push({ sku, quantity, restock, ...costOf(line, earlier + now, quantity) })
  }
  return received
}

/** Returns what is refunded for pieces. */
export const refundOf = (received: readonly ReceivedItem[]): number =>
  received.reduce((sum, { gross }) => sum + gross, 0)
