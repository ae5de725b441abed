/** The simulated people of the load, and their requests. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'undici'
import { UserError } from '../../functions/shared/process/user-error.ts'
import type { FunctionName } from '../../functions/table.ts'
import type { Client, Middleware, Schemas } from '../client/client.ts'
import { ApiError, good } from '../client/good.ts'
import { expecting, newOrder } from '../client/orders.ts'
import { shopClient } from '../client/shop.ts'
import { readStock, receiveStock } from '../client/stock.ts'
import { unreachable } from '../unreachable.ts'
import type { Visit } from './load.ts'

/** Enough customers that none logs in so often that the limit on log-ins applies. */
const CUSTOMERS = 20
/** More connections than a browser opens, but few enough for the gateway. */
const CONNECTIONS = 256
/** Longer than a cold start on a slow machine. */
const TIMEOUT_MS = 60_000
/** More of each SKU than any load can order. */
const PLENTY = 1_000_000

interface Customer {
  account: Schemas['Credentials']
  token: string
}

/** What people do, with relative frequencies. */
export const habits = {
  'list-products': 26,
  'get-product': 26,
  'get-stock': 14,
  'log-in': 6,
  'create-order': 10,
  'get-order': 10,
  'get-order-timeline': 8,
} as const satisfies Partial<Record<FunctionName, number>>

type Habit = keyof typeof habits

/** Picks a habit at random, according to the frequencies. */
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
 * Registers customers, and receives stock if the password of the demo's staff is right.
 * @throws UserError that says what to do if the shop does not answer
 */
export async function openVisitors(url: string, demoPassword: string) {
  const explained: Middleware = { onError: ({ error }) => new UserError(unreachable(url, error)) }
  const shop = shopClient(url, [explained])
  const { items: products } = await good(shop.GET('/products', { params: { query: { limit: 100 } } }))
  if (products.length === 0) throw new UserError('The catalogue is empty, so there is nothing to order.')
  const customers = await inGroupsOf(4, CUSTOMERS, async (): Promise<Customer> => {
    const account = { email: `load-${randomUUID()}@example.com`, password: randomUUID() }
    return { account, token: await (await shop.register(account)).token() }
  })
  const stocked = await receivePlenty()
  const load = openLoad(url)
  const placed: { id: string; by: Customer }[] = []
  let turn = 0

  const next = <T>(list: readonly T[]): T => list[(turn += 1) % list.length]!
  const anyOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!

  const deeds: Record<Habit, () => Promise<number>> = {
    'list-products': () => load.read('/products?limit=20'),
    'get-product': () => load.read(`/products/${anyOf(products).id}`),
    'get-stock': () => load.read(`/stock/${anyOf(products).sku}`),
    'log-in': async () => {
      const customer = next(customers)
      const { status, text } = await load.send('POST', '/sessions', undefined, customer.account)
      // the load may last longer than an access token is valid
      if (status === 201) customer.token = (JSON.parse(text) as Schemas['LoggedIn']).accessToken
      return status
    },
    'create-order': async () => {
      const by = next(customers)
      const { sku, price } = anyOf(products)
      const order = expecting(newOrder([{ sku, quantity: 1 }]), new Map([[sku, price]]))
      const { status, text } = await load.send('POST', '/orders', by.token, order)
      if (status === 201) placed.push({ id: (JSON.parse(text) as Schemas['Order']).id, by })
      return status
    },
    'get-order': () => {
      const { id, by } = anyOf(placed)
      return load.read(`/orders/${id}`, by.token)
    },
    'get-order-timeline': () => {
      const { id, by } = anyOf(placed)
      return load.read(`/orders/${id}/timeline`, by.token)
    },
  }

  return {
    /** Whether stock was received, so that nothing sells out. */
    stocked,
    /** Returns the next request of a random person. */
    next: (): Visit => {
      const picked = pick()
      // reads a product until there is an order
      const name = picked.startsWith('get-order') && placed.length === 0 ? 'get-product' : picked
      return { name, send: deeds[name] }
    },
    /** Counts the accepted orders by their result. */
    outcome: async (): Promise<Outcome> => {
      const mine = new Set(placed.map(({ id }) => id))
      const all = await inGroupsOf(4, customers.length, async (n) =>
        ordersOf(await shop.logIn(customers[n]!.account)),
      )
      const count = (...wanted: Schemas['Order']['status'][]) =>
        all.flat().filter(({ id, status }) => mine.has(id) && wanted.includes(status)).length
      return {
        confirmed: count('confirmed', 'shipped', 'completed'),
        cancelled: count('cancelled'),
        underWay: count('placed', 'reserved'),
      }
    },
    accepted: () => placed.length,
    close: load.close,
  }

  /** Returns false if the shop refuses it. Then orders are rejected once the stock is used up. */
  async function receivePlenty(): Promise<boolean> {
    try {
      const staff = await shop.logIn({ email: 'staff@example.com', password: demoPassword })
      await inGroupsOf(4, products.length, async (n) => {
        const { sku } = products[n]!
        const { available } = await readStock(shop, sku)
        if (available < PLENTY / 2) await receiveStock(staff, sku, PLENTY)
      })
      return true
    } catch (error) {
      if (error instanceof ApiError) return false
      throw error
    }
  }
}

export type Visitors = Awaited<ReturnType<typeof openVisitors>>

/** Reads all orders of a customer. */
async function ordersOf(customer: Client): Promise<Schemas['Order'][]> {
  const found: Schemas['Order'][] = []
  for (let query: { limit: number; cursor?: string } = { limit: 100 }; ;) {
    const { items, next } = await good(customer.GET('/orders', { params: { query } }))
    found.push(...items)
    if (next === undefined) return found
    query = { limit: 100, cursor: next }
  }
}

/** Sends raw requests, because the load is measured and the time that an API client takes would count. */
function openLoad(url: string) {
  const dispatcher = new Agent({
    connections: CONNECTIONS,
    bodyTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
  })

  async function send(method: 'GET' | 'POST', path: string, token?: string, body?: unknown) {
    const { statusCode, body: answer } = await request(`${url}/api/v1${path}`, {
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

  return {
    send,
    /** Sends a GET request and returns the status. */
    read: async (path: string, token?: string): Promise<number> => (await send('GET', path, token)).status,
    close: () => dispatcher.destroy(),
  }
}

/** Calls `make` with 0 to `count` - 1, a few calls at a time. */
async function inGroupsOf<T>(size: number, count: number, make: (n: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let n = 0; n < count; n += size)
    made.push(
      ...(await Promise.all(Array.from({ length: Math.min(size, count - n) }, (_, i) => make(n + i)))),
    )
  return made
}
