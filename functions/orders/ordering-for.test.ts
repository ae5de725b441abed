import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toServer } from '../shared/process/serve-operation.ts'
import { newAccount } from '../../test/accounts.ts'
import { tablesWith } from '../../test/contents.ts'
import { listen, type Handler } from '../../local/front.ts'
import { address, knowProducts, newOrder, place, putStatus } from '../../test/orders.ts'
import { expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { transaction } from '../shared/store/transaction.ts'
import { orders } from './order.ts'

/** Orders that staff place for customers, with and without an account. */

let shop: TestShop
let stop: () => void
/** Runs before the customers domain answers the orders domain. */
let meanwhile: () => Promise<unknown> = async () => {}
beforeAll(async () => {
  let handler: Handler
  const { server, port } = await listen((request, response) => handler(request, response), 0)
  stop = () => {
    server.close()
    server.closeAllConnections()
  }
  shop = await openShop(['orders', 'customers', 'users'], { FUNCTION_URL: `http://127.0.0.1:${port}` })
  const functions = toServer(shop.app)
  handler = (request, response) => void meanwhile().then(() => functions.emit('request', request, response))
  await knowProducts(shop, ['MUG', 1250])
})
afterAll(async () => {
  await shop.close()
  stop()
})

const keep = async () =>
  (await shop.create('/customers', { as: 'staff', body: { name: 'Grace' } })).id as string
const orderFor = (customerId: string, more: object = {}) =>
  shop.post('/orders', { as: 'staff', body: { ...newOrder(), customerId, ...more } })
const claimed = (customerId: string, userId: string, id?: string) =>
  shop.react('move-orders', 'customer.claimed', { customerId, userId }, id)
const ownerOf = async (id: string) => (await shop.get(`/orders/${id}`, { as: 'staff' })).body.customerId

describe('an order that staff place for a customer', () => {
  it.each([
    [
      'who has a profile',
      async () => {
        const user = shop.newUser()
        await shop.get(`/customers/${user.id}`, { as: user })
        return user
      },
    ],
    ['who has only an account', () => newAccount(shop)],
  ])('%s is the customer’s, and says who placed it', async (_, create) => {
    const user = await create()
    const { status, body } = await orderFor(user.id.toUpperCase())
    expect([status, body.customerId]).toEqual([201, user.id])
    expect((await shop.get(`/orders/${body.id}`, { as: user })).body).toEqual(body)
    const timeline = await shop.get(`/orders/${body.id}/timeline`, { as: user })
    expect(timeline.body.items).toMatchObject([
      { type: 'order.placed', actor: { role: 'staff', id: shop.users.staff.id } },
    ])
    expect(await shop.emitted(body.id)).toMatchObject([
      { type: 'order.placed', data: { orderId: body.id, customerId: user.id } },
    ])
    expect((await shop.post(`/orders/${body.id}/cancellation`, { as: user, body: {} })).status).toBe(200)
  })

  it('is placed once for each key of the member of staff', async () => {
    const customerId = await keep()
    const send = { as: 'staff', key: randomUUID(), body: { ...newOrder(), customerId } } as const
    const answers = await Promise.all([1, 2, 3].map(() => shop.post('/orders', send)))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    const { body } = await shop.get(`/orders?customerId=${customerId}`, { as: 'staff' })
    expect(body.items).toHaveLength(1)
  })

  it('is refused if there is no such customer', async () => {
    const detail = 'There is no customer with this id.'
    expectOwnProblem(
      await orderFor(uuidv7()),
      'unknown-customer',
      [422, 'The shop has no such customer'],
      detail,
      [{ pointer: '/body/customerId', detail }],
    )
  })

  it('is for staff only', async () => {
    const user = shop.newUser()
    for (const as of [user, shop.newUser('seller')])
      expectProblem(
        await shop.post('/orders', { as, body: { ...newOrder(), customerId: user.id } }),
        'wrong-role',
        'Only staff order for a customer: leave `customerId` out to order for yourself.',
      )
  })

  it('waits until the customers can be read', async () => {
    const customerId = await keep()
    const { shop: alone, close } = await besides()
    const answer = await alone.post('/orders', { as: 'staff', body: { ...newOrder(), customerId } })
    await close()
    expect(answer).toMatchObject({ status: 503, body: { title: 'A store cannot be reached just now' } })
  })

  it('is forgotten with the customer, also in what is kept for retries of staff', async () => {
    const user = await newAccount(shop)
    const note = randomUUID()
    const { body } = await orderFor(user.id, { note })
    await putStatus(shop, body.id, 'completed')
    expect(await tablesWith(shop.admin, note)).toEqual(['orders.idempotency_keys', 'orders.orders'])
    await shop.react('forget-customer', 'user.deleted', { userId: user.id })
    expect(await tablesWith(shop.admin, note)).toEqual([])
  })
})

/** Opens the orders without any other domain. */
async function besides() {
  const alone = await openShop(['orders'], {}, { beside: shop })
  return { shop: alone, close: () => alone.close() }
}

describe('the orders of a customer who has claimed their record', () => {
  it('belong to the account, whatever their status, and all others stay', async () => {
    const [customerId, other, user] = [await keep(), await keep(), shop.newUser()]
    const [placed, shipped, theirs] = [
      (await orderFor(customerId)).body,
      (await orderFor(customerId)).body,
      (await orderFor(other)).body,
    ]
    await putStatus(shop, shipped.id, 'shipped')
    const event = await claimed(customerId, user.id)
    await claimed(customerId, user.id, event.id)
    const list = await shop.get('/orders?sort=oldest', { as: user })
    expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual([placed.id, shipped.id])
    expect(await ownerOf(theirs.id)).toBe(other)
    // what the client has read has changed
    const stale = { as: user, body: { note: 'x' }, ifMatch: '"1"' }
    expect((await shop.patch(`/orders/${placed.id}`, stale)).status).toBe(412)
  })

  it('belong to it from the beginning, if staff still use the id of the record', async () => {
    const [customerId, user] = [await keep(), shop.newUser()]
    await claimed(customerId, user.id)
    expect((await orderFor(customerId)).body.customerId).toBe(user.id)
  })

  it('belong to it even if they are placed while the record is claimed', async () => {
    const [customerId, user] = [await keep(), shop.newUser()]
    // after the claim was looked up, and before the order is written
    meanwhile = () => claimed(customerId, user.id)
    const { status, body } = await orderFor(customerId)
    meanwhile = async () => {}
    expect(status).toBe(201)
    expect(await ownerOf(body.id)).toBe(user.id)
  })

  it('are waited for while they are being written', async () => {
    const [customerId, user] = [await keep(), shop.newUser()]
    const { db } = shop.deps('orders')
    const id = uuidv7()
    let moving: Promise<unknown> = Promise.resolve()
    await transaction(db, async (tx) => {
      // as the statement of create-order does (place-order.ts)
      await tx.client`select orders.admit_pieces(${customerId}, 1, 1000)`
      moving = claimed(customerId, user.id)
      // written only once the reaction waits for it
      await expect
        .poll(
          async () =>
            (await tx.client`select 1 from pg_locks where locktype = 'advisory' and not granted`).length,
        )
        .toBe(1)
      await tx.insert(orders).values({
        id,
        customerId,
        status: 'placed',
        lines: [],
        totalAmount: 0,
        currency: 'EUR',
        deliveryAddress: address,
      })
    })
    await moving
    expect(await ownerOf(id)).toBe(user.id)
  })

  it('are forgotten if the account is deleted already', async () => {
    const [customerId, user] = [await keep(), shop.newUser()]
    const { body } = await orderFor(customerId)
    await putStatus(shop, body.id, 'completed')
    await shop.react('forget-customer', 'user.deleted', { userId: user.id })
    await claimed(customerId, user.id)
    const { body: read } = await shop.get(`/orders/${body.id}`, { as: 'staff' })
    expect(read).toMatchObject({ customerId: user.id, deliveryAddress: null })
  })
})

it('places an order for the caller without asking the customers domain', async () => {
  let asked = 0
  meanwhile = async () => void asked++
  const user = shop.newUser()
  expect((await place(shop, user)).customerId).toBe(user.id)
  meanwhile = async () => {}
  expect(asked).toBe(0)
})
