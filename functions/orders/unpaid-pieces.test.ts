import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { knowProducts, newOrder, place, putStatus } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { createApp } from '../shared/http/app.ts'
import { openPostgres } from '../shared/store/postgres.ts'
import { operationOf } from '../source.ts'
import { orders, type OrderStatus } from './order.ts'

const allowed = 10

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'], { UNPAID_PIECES: String(allowed) })
  await knowProducts(shop, ['MUG', 1250], ['SAMPLE', 0])
})
afterAll(() => shop.close())

const body = (quantity: number, sku = 'MUG') => newOrder([{ sku, quantity }])
const send = (user: User, quantity: number, key?: string) =>
  shop.post('/orders', { as: user, body: body(quantity), ...(key !== undefined && { key }) })

describe('the pieces in orders that are not paid', () => {
  it('are limited for each customer', async () => {
    const [user, other] = [shop.newUser(), shop.newUser()]
    await place(
      shop,
      user,
      newOrder([
        { sku: 'MUG', quantity: 4 },
        { sku: 'MUG', quantity: 3 },
      ]),
    )
    const refused = await send(user, 4)
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'https://zeroshop.dev/problems/too-many-unpaid',
        title: 'Too many pieces wait to be paid',
        detail:
          'Your unpaid orders contain 7 pieces, and this one 4 more; 10 are allowed. Wait until they are paid, which takes seconds if the card is good, or cancel one, and order again.',
        unpaid: 7,
        allowed,
      },
    })
    expect((await send(other, 4)).status).toBe(201)
    expect((await send(user, 3)).status).toBe(201)
  })

  it('may not be too many in one order', async () =>
    expect((await send(shop.newUser(), 11)).body).toMatchObject({
      detail:
        'Your unpaid orders contain 0 pieces, and this one 11 more; 10 are allowed. Order fewer at a time.',
      unpaid: 0,
    }))

  it.each<[OrderStatus, sku: string, counts: boolean]>([
    ['placed', 'MUG', true],
    ['reserved', 'MUG', true],
    ['confirmed', 'MUG', false],
    ['shipped', 'MUG', false],
    ['cancelled', 'MUG', false],
    ['placed', 'SAMPLE', true],
    // nobody pays for it
    ['confirmed', 'SAMPLE', true],
    ['shipped', 'SAMPLE', false],
  ])('are those of an order that is %s, of a %s: %s', async (status, sku, counts) => {
    const user = shop.newUser()
    const { id } = await place(shop, user, body(allowed, sku))
    await putStatus(shop, id, status)
    expect((await send(user, 1)).status).toBe(counts ? 409 : 201)
  })

  it('do not hinder the retry of an order that was accepted', async () => {
    const [user, key] = [shop.newUser(), randomUUID()]
    const first = await send(user, allowed, key)
    expect(first.status).toBe(201)
    const again = await send(user, allowed, key)
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await send(user, 1, key)).status).toBe(422)
    const refused = randomUUID()
    expect((await send(user, 1, refused)).status).toBe(409)
    await putStatus(shop, first.body.id, 'confirmed')
    // a refused request keeps no key
    expect((await send(user, 1, refused)).status).toBe(201)
  })

  /** Returns a function that places orders for the user as a process of its own would. */
  async function anotherProcess(user: User) {
    const db = openPostgres(shop.database('orders'))
    onTestFinished(() => db.close())
    const app = createApp({
      operations: [await operationOf('create-order')],
      deps: () => ({ ...shop.deps('orders'), db }),
      authenticate: async () => user,
      log: pino({ level: 'silent' }),
    })
    return async (quantity: number) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
      const request = { method: 'POST', headers, body: JSON.stringify(body(quantity)) }
      return (await app.request('/api/v1/orders', request)).status
    }
  }

  it('are not exceeded by 20 concurrent orders in several processes', async () => {
    const user = shop.newUser()
    const processes = await Promise.all([1, 2, 3].map(() => anotherProcess(user)))
    const sent = Array.from({ length: 20 }, (_, n) => processes[n % processes.length]!(3))
    const statuses = await Promise.all(sent)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([
      ...Array<number>(3).fill(201),
      ...Array<number>(17).fill(409),
    ])
    const placed = await shop.deps('orders').db.select().from(orders).where(eq(orders.customerId, user.id))
    expect(placed.map(({ pieces }) => pieces)).toEqual([3, 3, 3])
  })
})
