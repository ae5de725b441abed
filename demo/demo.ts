/** `npm run demo`: follows orders through a running shop, and tells a customer's story from the cart to a return. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import pc from 'picocolors'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { formatMoney } from '../functions/shared/schemas/money.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { demoPassword } from '../local/people.ts'
import type { Middleware, Schemas } from './client/client.ts'
import { good } from './client/good.ts'
import { placeOrder, readOrder, type Line } from './client/orders.ts'
import { shopClient, type Person } from './client/shop.ts'
import { readStock } from './client/stock.ts'
import { watchOrder } from './client/timeline.ts'
import { tellStory } from './story.ts'
import { unreachable } from './unreachable.ts'

const usage = `npm run demo
Places an order, and two that cannot be fulfilled. Then a guest's cart becomes an order, which is shipped in two parcels
and partly sent back; its documents are written to .data/demo.
SHOP_URL is the shop (http://localhost:8080), PORT its port if it runs here. SHOP_PASSWORD is the password of
staff@example.com (that of npm start).`

const url = (process.env['SHOP_URL'] ?? `http://localhost:${process.env['PORT'] ?? 8080}`).replace(/\/$/, '')

const explained: Middleware = { onError: ({ error }) => new UserError(unreachable(url, error)) }
const shop = shopClient(url, [explained])

async function demo() {
  readArguments(usage, {})
  heading('A customer registers and logs in')
  const ada = await shop.register({ email: `ada-${randomUUID().slice(0, 8)}@example.com` })
  console.log(`  ${ada.user.email}`)

  heading('looks at products')
  const { items } = await good(shop.GET('/products', { params: { query: { sort: 'price', limit: 5 } } }))
  for (const { sku, name, price } of items)
    console.log(`  ${sku.padEnd(22)}${name.padEnd(34)}${formatMoney(price)}`)
  const [first, second] = items
  if (first === undefined || second === undefined)
    throw new UserError('The catalogue is empty: run npm run reset and npm start.')

  heading('and orders')
  const lines = [
    { sku: first.sku, quantity: 2 },
    { sku: second.sku, quantity: 1 },
  ]
  await order(ada, 'an approved card', lines, 'card_approved', ['stock.reserved', 'order.confirmed'])
  await order(ada, 'a card that is declined', lines, 'card_declined', ['stock.reserved', 'stock.released'])
  const tooMany = [{ sku: first.sku, quantity: 900 }]
  await order(ada, 'more than the stock', tooMany, 'card_approved', ['order.cancelled'])

  const password = process.env['SHOP_PASSWORD'] ?? demoPassword
  const staff = await shop.logIn({ email: 'staff@example.com', password })
  const folder = join(import.meta.dirname, '../.data/demo')
  await tellStory({ shop, staff, lines: [lines[0]!, lines[1]!], folder, say: (text) => console.log(text) })
}

/** Places an order and prints its timeline as it grows, until it has an entry of each type of `until`. */
async function order(who: Person, title: string, lines: Line[], cardToken: string, until: string[]) {
  const sku = lines[0]!.sku
  console.log(`\n${pc.bold(title)}: ${lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')}`)
  const before = await readStock(shop, sku)
  const { id, placedAt } = await placeOrder(who, lines, cardToken)
  const began = Date.parse(placedAt)
  const awaited = new Set(until)
  for await (const entry of watchOrder(who, id)) {
    const ms = `+${Date.parse(entry.at) - began} ms`
    console.log(`  ${ms.padStart(9)}  ${entry.type.padEnd(20)} ${pc.dim(entry.detail ?? '')}`)
    awaited.delete(entry.type)
    if (awaited.size === 0) break
  }
  const { status, reason, total } = await readOrder(who, id)
  const colour = status === 'confirmed' ? pc.green : pc.yellow
  console.log(`  ${colour(status)}${reason === null ? '' : ` (${reason})`}, total ${formatMoney(total)}`)
  const after = await readStock(shop, sku)
  console.log(pc.dim(`  stock of ${sku}: ${describe(before)} → ${describe(after)}`))
}

const describe = ({ available, reserved }: Schemas['Stock']) => `${available} available, ${reserved} reserved`

const heading = (text: string) => console.log(pc.bold(text))

await run(demo)
