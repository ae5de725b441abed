import { newOrder } from '../../../demo/client/orders.ts'
import { readStock } from '../../../demo/client/stock.ts'
import { deadlineMs } from '../shop.ts'
import { must, times, until, type Context, type Fault } from '../fault.ts'

/** Many buyers order few units. Exactly as many orders are fulfilled as there is stock for. */
export const oversell: Fault = {
  name: 'oversell',
  title: '200 buyers, 1 unit; an order with the same SKU on two lines; several units and random quantities',
  async run(context) {
    await rush(context, 1, 200, () => [1])
    await rush(context, 1, 20, () => [1, 1])
    await rush(context, 2, 20, () => [1, 1])
    const { random } = context
    await rush(context, 25, 60, () => Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(4)))
  },
}

/** @param sizes the quantities of an order's lines, all of one SKU */
async function rush(context: Context, units: number, buyers: number, sizes: () => number[]) {
  const { traffic, shop, random, injected, say } = context
  const sku = await traffic.newSku(units)
  const placed = await times(buyers, async () => {
    const quantities = sizes()
    const body = newOrder(quantities.map((quantity) => ({ sku, quantity })))
    const { id } = await traffic.place(random.pick(traffic.people), body)
    return { id, wanted: quantities.reduce((sum, quantity) => sum + quantity, 0) }
  })
  injected(buyers)
  const ended = await Promise.all(
    placed.map(async (one) => ({ ...one, status: await traffic.decided(one.id) })),
  )
  const sold = ended.filter(({ status }) => status !== 'cancelled')
  const taken = sold.reduce((sum, { wanted }) => sum + wanted, 0)
  const available = async () => (await readStock(shop, sku)).available
  say(`${buyers} buyers, ${units} units: ${sold.length} sales, ${buyers - sold.length} refusals`)
  must(taken <= units, `${taken} of ${units} units were sold`)
  // stock that was reserved too late is released
  await until(`${units - taken} of ${units} are left`, async () => (await available()) === units - taken)
  const refused = new Set(ended.filter(({ status }) => status === 'cancelled').map(({ id }) => id))
  const { orders, timeline, payments, journal } = await shop.books()
  const told = timeline.filter(({ order_id, type }) => type === 'stock.rejected' && refused.has(order_id))
  // on a busy machine, some of these orders reach their deadline first
  const late = orders.filter(
    ({ id, placed_at, updated_at }) =>
      refused.has(id) &&
      !told.some(({ order_id }) => order_id === id) &&
      updated_at.getTime() - placed_at.getTime() >= deadlineMs,
  )
  must(
    told.length + late.length === refused.size,
    `${told.length} of ${refused.size} were refused for lack of stock`,
  )
  const theirs = new Set(payments.filter((one) => refused.has(one.order_id)).map(({ id }) => id))
  must(
    !journal.some(({ payment }) => theirs.has(payment.reference)),
    'a payment was authorised for a refused order',
  )
  // no order was refused that could have been fulfilled
  const smallest = Math.min(
    ...ended.filter(({ status }) => status === 'cancelled').map(({ wanted }) => wanted),
  )
  must(
    late.length > 0 || units - taken < smallest,
    `an order of ${smallest} was refused although ${units - taken} are left`,
  )
}
