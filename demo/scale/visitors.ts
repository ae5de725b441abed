/** The people of the load: what they ask of the shop. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'undici'
import type { FunctionName } from '../../functions/table.ts'
import type { Visit } from './load.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

/** Enough that nobody logs in so often at once that it looks like guessing passwords. */
const CUSTOMERS = 20
/** More connections than a browser would open, fewer than would hurt the gateway. */
const CONNECTIONS = 256
/** Longer than a cold start takes on a slow machine. */
const TIMEOUT_MS = 60_000
/** How many received pieces of each SKU outlast any load. */
const PLENTY = 1_000_000

interface Customer {
  email: string
  password: string
  token: string
}

interface Product {
  id: string
  sku: string
}

/** What people do, and how often: as parts of the whole. */
const habits = {
  'list-products': 26,
  'get-product': 26,
  'get-stock': 14,
  'log-in': 6,
  'create-order': 10,
  'get-order': 10,
  'get-order-timeline': 8,
} as const satisfies Partial<Record<FunctionName, number>>

type Habit = keyof typeof habits

/** One of the habits, as often as its part of the whole. */
export function pick(random: () => number = Math.random): Habit {
  const all = Object.entries(habits) as [Habit, number][]
  let left = random() * all.reduce((sum, [, part]) => sum + part, 0)
  return all.find(([, part]) => (left -= part) < 0)?.[0] ?? 'list-products'
}

export interface Outcome {
  confirmed: number
  cancelled: number
  underWay: number
}

/**
 * Registers customers, and has stock received where the demo people's password is known.
 * @throws UserError if the shop does not answer
 */
export async function openVisitors(url: string, demoPassword: string) {
  const dispatcher = new Agent({
    connections: CONNECTIONS,
    bodyTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
  })
  const api = `${url}/api/v1`
  const placed: { id: string; by: Customer }[] = []
  let turn = 0

  const { items: products } = await must<{ items: Product[] }>('GET', '/products?limit=100')
  if (products.length === 0) throw new UserError('The catalogue is empty: there is nothing to order.')
  const customers = await inGroupsOf(4, CUSTOMERS, register)
  const stocked = await receiveStock()

  const next = <T>(list: readonly T[]): T => list[(turn += 1) % list.length]!
  const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!

  const deeds: Record<Habit, () => Promise<number>> = {
    'list-products': () => read('/products?limit=20'),
    'get-product': () => read(`/products/${anyOf(products).id}`),
    'get-stock': () => read(`/stock/${anyOf(products).sku}`),
    'log-in': async () => {
      const customer = next(customers)
      const { status, text } = await send('POST', '/sessions', undefined, {
        email: customer.email,
        password: customer.password,
      })
      // tokens last 15 minutes, a load may last longer
      if (status === 201) customer.token = (JSON.parse(text) as { accessToken: string }).accessToken
      return status
    },
    'create-order': async () => {
      const by = next(customers)
      const { status, text } = await send('POST', '/orders', by.token, newOrder(anyOf(products).sku))
      if (status === 201) placed.push({ id: (JSON.parse(text) as { id: string }).id, by })
      return status
    },
    'get-order': () => {
      const { id, by } = anyOf(placed)
      return read(`/orders/${id}`, by.token)
    },
    'get-order-timeline': () => {
      const { id, by } = anyOf(placed)
      return read(`/orders/${id}/timeline`, by.token)
    },
  }

  return {
    /** Whether there is enough of everything. */
    stocked,
    /** What somebody does next. */
    next: (): Visit => {
      const picked = pick()
      // who has no order yet looks around
      const name = picked.startsWith('get-order') && placed.length === 0 ? 'get-product' : picked
      return { name, send: deeds[name] }
    },
    /** What became of the orders that were accepted. */
    outcome: async (): Promise<Outcome> => {
      const mine = new Set(placed.map(({ id }) => id))
      const statuses = (await inGroupsOf(4, customers.length, (n) => ordersOf(customers[n]!))).flat()
      const count = (...wanted: string[]) =>
        statuses.filter(({ id, status }) => mine.has(id) && wanted.includes(status)).length
      return {
        confirmed: count('confirmed', 'shipped', 'completed'),
        cancelled: count('cancelled'),
        underWay: count('placed', 'reserved'),
      }
    },
    accepted: () => placed.length,
    close: () => dispatcher.destroy(),
  }

  async function register(): Promise<Customer> {
    const account = { email: `load-${randomUUID()}@example.com`, password: randomUUID() }
    await must('POST', '/users', undefined, { ...account, name: 'Load' })
    return { ...account, token: await logIn(account) }
  }

  async function logIn(account: { email: string; password: string }): Promise<string> {
    return (await must<{ accessToken: string }>('POST', '/sessions', undefined, account)).accessToken
  }

  /** False where the password is another: then orders are rejected when the stock is used up. */
  async function receiveStock(): Promise<boolean> {
    const credentials = { email: 'staff@example.com', password: demoPassword }
    const { status, text } = await send('POST', '/sessions', undefined, credentials)
    if (status !== 201) return false
    const { accessToken } = JSON.parse(text) as { accessToken: string }
    const answers = await inGroupsOf(4, products.length, async (n) => {
      const { sku } = products[n]!
      const { available } = await must<{ available: number }>('GET', `/stock/${sku}`)
      if (available >= PLENTY / 2) return 201
      const body = { quantity: PLENTY, reason: 'received' }
      return (await send('POST', `/stock/${sku}/adjustments`, accessToken, body)).status
    })
    return answers.every((status) => status < 300)
  }

  async function ordersOf({ email, password }: Customer) {
    const token = await logIn({ email, password })
    const found: { id: string; status: string }[] = []
    let cursor = ''
    for (;;) {
      const page = await must<{ items: typeof found; next?: string }>(
        'GET',
        `/orders?limit=100${cursor}`,
        token,
      )
      found.push(...page.items)
      if (page.next === undefined) return found
      cursor = `&cursor=${page.next}`
    }
  }

  async function read(path: string, token?: string): Promise<number> {
    return (await send('GET', path, token)).status
  }

  async function send(method: 'GET' | 'POST', path: string, token?: string, body?: unknown) {
    const { statusCode, body: answer } = await request(api + path, {
      dispatcher,
      method,
      headers: {
        ...(method === 'POST' && { 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: statusCode, text: await answer.text() }
  }

  async function must<T>(method: 'GET' | 'POST', path: string, token?: string, body?: unknown): Promise<T> {
    const { status, text } = await send(method, path, token, body).catch((error: unknown) => {
      throw new UserError(unreachable(url, error))
    })
    if (status >= 300)
      throw new UserError(`${method} ${api}${path} answered ${status}: ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }
}

export type Visitors = Awaited<ReturnType<typeof openVisitors>>

const newOrder = (sku: string) => ({
  lines: [{ sku, quantity: 1 }],
  deliveryAddress: {
    name: 'Load',
    street: 'Werkstraße 1',
    postalCode: '10115',
    city: 'Berlin',
    country: 'DE',
  },
  payment: { cardToken: 'card_approved' },
})

export function unreachable(url: string, error: unknown): string {
  const code = codeOf(error)
  if (/CERT|SELF_SIGNED|ISSUER/.test(code))
    return `The certificate of ${url} is not trusted (${code}): name its authority's in NODE_EXTRA_CA_CERTS.`
  return `No shop answers at ${url} (${code}). Start it with npm start, or name it with --url or SHOP_URL.`
}

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined ? error.message : codeOf(error.cause)
}

/** Calls `make` with 0 to `count` - 1, a few at once. */
async function inGroupsOf<T>(size: number, count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let n = 0; n < count; n += size)
    made.push(
      ...(await Promise.all(Array.from({ length: Math.min(size, count - n) }, (_, i) => make(n + i)))),
    )
  return made
}
