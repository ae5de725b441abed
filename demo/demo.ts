/** `npm run demo`: an order from start to end against a running shop, then two that cannot be fulfilled. */
import { randomUUID } from 'node:crypto'
import pc from 'picocolors'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { formatMoney } from '../functions/shared/schemas/money.ts'
import type { Order } from '../functions/orders/order.ts'

const shop = (process.env['SHOP_URL'] ?? `http://localhost:${process.env['PORT'] ?? 8080}`).replace(/\/$/, '')

interface Product {
  sku: string
  name: string
  price: { amount: number; currency: string }
}

interface Entry {
  type: string
  detail: string | null
  status: string
  at: string
}

let token: string | undefined

async function demo() {
  heading('A customer registers and logs in')
  const email = `ada-${randomUUID().slice(0, 8)}@example.com`
  const password = randomUUID()
  await call('POST', '/users', { email, password, name: 'Ada' })
  const session = await call<{ accessToken: string }>('POST', '/sessions', { email, password })
  token = session.accessToken
  console.log(`  ${email}`)

  heading('looks around')
  const { items } = await call<{ items: Product[] }>('GET', '/products?sort=price&limit=5')
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
  await order('an approved card', lines, 'card_approved', ['stock.reserved', 'order.confirmed'])
  await order('a card that is declined', lines, 'card_declined', ['stock.reserved', 'stock.released'])
  await order('more than there is', [{ sku: first.sku, quantity: 9_000 }], 'card_approved', [
    'order.cancelled',
  ])
}

/** Places an order and prints its timeline as it comes, until there is an entry of each type of `until`. */
async function order(
  title: string,
  lines: { sku: string; quantity: number }[],
  cardToken: string,
  until: string[],
) {
  const sku = lines[0]!.sku
  console.log(`\n${pc.bold(title)}: ${lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')}`)
  const before = await stockOf(sku)
  const placed = await call<Order>('POST', '/orders', {
    lines,
    deliveryAddress: {
      name: 'Ada',
      street: 'Werkstraße 1',
      postalCode: '10115',
      city: 'Berlin',
      country: 'DE',
    },
    payment: { cardToken },
  })
  const began = Date.parse(placed.placedAt)
  const awaited = new Set(until)
  for await (const entry of watch(placed.id)) {
    const ms = `+${Date.parse(entry.at) - began} ms`
    console.log(`  ${ms.padStart(9)}  ${entry.type.padEnd(20)} ${pc.dim(entry.detail ?? '')}`)
    awaited.delete(entry.type)
    if (awaited.size === 0) break
  }
  const { status, reason, total } = await call<Order>('GET', `/orders/${placed.id}`)
  const colour = status === 'confirmed' ? pc.green : pc.yellow
  console.log(`  ${colour(status)}${reason === null ? '' : ` (${reason})`}, total ${formatMoney(total)}`)
  const after = await stockOf(sku)
  console.log(pc.dim(`  stock of ${sku}: ${describe(before)} → ${describe(after)}`))
}

const describe = ({ available, reserved }: Stock) => `${available} available, ${reserved} reserved`

interface Stock {
  available: number
  reserved: number
}

const stockOf = (sku: string) => call<Stock>('GET', `/stock/${sku}`)

/** The order's timeline as server-sent events. */
async function* watch(id: string): AsyncGenerator<Entry> {
  const response = await send('GET', `/orders/${id}/events`, undefined, AbortSignal.timeout(60_000))
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1]
      text = text.slice(end + 2)
      if (data !== undefined) yield JSON.parse(data) as Entry
    }
  }
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body, AbortSignal.timeout(30_000))
  return (await response.json()) as T
}

async function send(method: string, path: string, body: unknown, signal: AbortSignal) {
  const response = await fetch(`${shop}/api/v1${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal,
  }).catch((error: unknown) => {
    throw new UserError(
      `No shop answers at ${shop} (${reasonOf(error)}). Start it with npm start, or set SHOP_URL.`,
    )
  })
  if (!response.ok)
    throw new UserError(`${method} ${path} answered ${response.status}: ${await response.text()}`)
  return response
}

const reasonOf = (error: unknown) =>
  error instanceof Error && error.cause instanceof Error && 'code' in error.cause
    ? String(error.cause.code)
    : String(error)

function heading(text: string) {
  console.log(pc.bold(text))
}

await run(demo)
