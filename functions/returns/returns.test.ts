import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { expectInvalid, expectOwnProblem, expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { ship } from './fixtures.ts'
import type { Return } from './return.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['returns'])
})
afterAll(() => shop.close())

const item = (quantity: number, more: object = {}) => ({ sku: 'MUG', quantity, reason: 'unwanted', ...more })

/** Returns a customer with an order of two mugs at 12.90 EUR that is shipped. */
async function bought(at = new Date()) {
  const customer = shop.newUser()
  return { customer, orderId: await ship(shop, customer.id, { at }) }
}

const ask = (as: User | 'staff', orderId: string, ...items: object[]) =>
  shop.post('/returns', { as, body: { orderId, items } })

/** Requests a return, and approves it. */
async function approved(quantity = 1) {
  const { customer, orderId } = await bought()
  const { body } = await ask(customer, orderId, item(quantity))
  await shop.post(`/returns/${body.id}/approval`, { as: 'staff' })
  return { customer, orderId, id: body.id as string }
}

const receive = (id: string, ...items: object[]) =>
  shop.post(`/returns/${id}/receipt`, { as: 'staff', body: { items } })

const emitted = async (orderId: string) =>
  (await shop.emitted(orderId)).map(({ type, data }) => ({ type, data }))

const day = 24 * 60 * 60 * 1000

describe('a return', () => {
  it('is requested by a customer, and read by them and by staff', async () => {
    const { customer, orderId } = await bought()
    const answer = await ask(customer, orderId, item(1, { reason: 'damaged', note: ' the handle is off ' }))
    expect(answer).toMatchObject({
      status: 201,
      body: {
        orderId,
        customerId: customer.id,
        status: 'requested',
        items: [{ sku: 'MUG', quantity: 1, reason: 'damaged', note: 'the handle is off' }],
        received: null,
        refund: null,
      },
    })
    const path = `/returns/${answer.body.id}`
    expect(answer.headers.get('location')).toBe(`/api/v1${path}`)
    expect((await shop.get(path, { as: customer })).text).toBe(answer.text)
    expect((await shop.get(path, { as: 'staff' })).text).toBe(answer.text)
    expectProblem(await shop.get(path, { as: 'customer' }), 'not-found', 'There is no return with this id.')
    // what the customer wrote is in no event
    expect(await emitted(orderId)).toEqual([
      {
        type: 'return.requested',
        data: {
          returnId: answer.body.id,
          orderId,
          customerId: customer.id,
          items: [{ sku: 'MUG', quantity: 1, reason: 'damaged' }],
        },
      },
    ])
  })

  it('is requested once by a request that is repeated', async () => {
    const { customer, orderId } = await bought()
    const send = { as: customer, key: uuidv7(), body: { orderId, items: [item(2)] } }
    const first = await shop.post('/returns', send)
    expect((await shop.post('/returns', send)).text).toBe(first.text)
    expect((await shop.get('/returns', { as: customer })).body.items).toHaveLength(1)
  })

  it('is listed by order and status', async () => {
    const { customer, orderId, id } = await approved()
    const list = async (query: string, as: User | 'staff' = customer): Promise<string[]> =>
      (await shop.get(`/returns?${query}`, { as })).body.items.map((one: Return) => one.id)
    expect(await list('')).toEqual([id])
    expect(await list('status=approved')).toEqual([id])
    expect(await list('status=refused')).toEqual([])
    expect(await list(`orderId=${orderId}`, 'staff')).toEqual([id])
    expect(await list(`orderId=${orderId}`, shop.newUser())).toEqual([])
  })

  it('is never for more pieces than were bought, also if they are requested at once', async () => {
    const { customer, orderId } = await bought()
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(customer, orderId, item(1))))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(3)
    const detail = '0 of 2 pieces of MUG can still be sent back.'
    expectOwnProblem(
      await ask(customer, orderId, item(1)),
      'too-many-pieces',
      [409, 'More pieces than can be sent back'],
      detail,
      [{ pointer: '/body/items/0/quantity', detail }],
    )
    // what is refused can be requested again
    const { id } = answers.find(({ status }) => status === 201)!.body
    await shop.post(`/returns/${id}/refusal`, { as: 'staff', body: { reason: 'other' } })
    expect((await ask(customer, orderId, item(1))).status).toBe(201)
  })

  it('is refused after 30 days, before the shipment, and for what is not in the order', async () => {
    const late = await bought(new Date(Date.now() - 31 * day))
    expect((await ask(late.customer, late.orderId, item(1))).body.type).toMatch(/\/return-too-late$/)
    const early = await bought(new Date(Date.now() - 29 * day))
    expect((await ask(early.customer, early.orderId, item(1))).status).toBe(201)
    const { customer, orderId } = await bought()
    const other = await ask(customer, orderId, { ...item(1), sku: 'SAW' })
    expect([other.status, other.body.type]).toEqual([422, expect.stringMatching(/\/not-in-order$/)])
    expectInvalid(await ask(customer, orderId, item(1), item(1)), {
      pointer: '/body/items',
      detail: 'each SKU once',
    })
    const total = { amount: 100, currency: 'EUR' }
    const placed = { orderId: uuidv7(), customerId: customer.id, lines: [{ sku: 'MUG', quantity: 1 }], total }
    await shop.react('keep-purchase', 'order.placed', placed)
    expect((await ask(customer, placed.orderId, item(1))).body.detail).toMatch(/not shipped yet/)
    await shop.react('keep-purchase', 'order.cancelled', { orderId: placed.orderId, reason: 'x' })
    expect((await ask(customer, placed.orderId, item(1))).body.detail).toMatch(/was cancelled/)
  })

  it('is requested only for one’s own orders, or by staff', async () => {
    const { customer, orderId } = await bought()
    const answer = await ask(shop.newUser(), orderId, item(1))
    expectOwnProblem(
      answer,
      'unknown-order',
      [422, 'The caller has no such order'],
      `You have no order ${orderId}.`,
      [{ pointer: '/body/orderId', detail: 'the id of one of your orders' }],
    )
    expect((await ask(customer, uuidv7(), item(1))).status).toBe(422)
    expect((await ask('staff', orderId, item(1))).body.customerId).toBe(customer.id)
  })

  it('knows an order in whatever sequence its events come', async () => {
    const customer = shop.newUser()
    const orderId = uuidv7()
    const shippedAt = new Date(Date.now() - 10 * day)
    const at = (type: 'order.shipped' | 'order.completed', time: Date) =>
      shop.handle('keep-purchase', shop.eventOf(type, { orderId }, { time }))
    await at('order.completed', new Date())
    await at('order.shipped', shippedAt)
    expect((await ask(customer, orderId, item(1))).status).toBe(422)
    await ship(shop, customer.id, { orderId })
    expect((await ask(customer, orderId, item(1))).status).toBe(201)
  })
})

describe('a decision on a return', () => {
  it('is made by staff, and can be repeated', async () => {
    const { customer, orderId } = await bought()
    const { id } = (await ask(customer, orderId, item(1))).body
    for (const path of ['approval', 'refusal', 'receipt'])
      expect((await shop.post(`/returns/${id}/${path}`, { as: customer, body: {} })).status).toBe(403)
    expect((await receive(id, { sku: 'MUG', quantity: 1, restock: true })).body).toMatchObject({
      status: 409,
      detail: 'The return is requested: only what is approved can be received.',
    })
    const first = await shop.post(`/returns/${id}/approval`, { as: 'staff' })
    expect(first.body).toMatchObject({ status: 'approved', decidedAt: expect.any(String) })
    expect((await shop.post(`/returns/${id}/approval`, { as: 'staff' })).text).toBe(first.text)
    const refuse = (reason: string) => shop.post(`/returns/${id}/refusal`, { as: 'staff', body: { reason } })
    expect((await refuse('missing')).body).toMatchObject({ status: 'refused', refusal: 'missing' })
    expect((await refuse('used')).body).toMatchObject({ refusal: 'missing' })
    expectOwnProblem(
      await shop.post(`/returns/${id}/approval`, { as: 'staff' }),
      'wrong-return-status',
      [409, 'The return’s status does not allow this'],
      'The return is refused: it can no longer be approved.',
    )
    expect((await emitted(orderId)).map(({ type }) => type)).toEqual([
      'return.requested',
      'return.approved',
      'return.refused',
    ])
  })
})

describe('what comes back', () => {
  it('is refunded at exactly what it cost, and restocked or written off', async () => {
    const { customer, orderId, id } = await approved(2)
    const good = { sku: 'MUG', quantity: 1, restock: true, net: 1084, taxRate: 1900, tax: 206, gross: 1290 }
    const answer = await receive(
      id,
      { sku: 'mug', quantity: 1, restock: true },
      { sku: 'MUG', quantity: 1, restock: false },
    )
    expect(answer.body).toMatchObject({
      status: 'received',
      received: [good, { ...good, restock: false }],
      refund: { amount: 2580, currency: 'EUR' },
    })
    const event = (await emitted(orderId)).at(-1)!
    expect(event).toEqual({
      type: 'return.received',
      data: {
        returnId: id,
        orderId,
        customerId: customer.id,
        items: [good, { ...good, restock: false }],
        refund: { amount: 2580, currency: 'EUR' },
      },
    })
    // repeated, also with something else
    expect((await receive(id, { sku: 'MUG', quantity: 1, restock: false })).text).toBe(answer.text)
    expect(await emitted(orderId)).toHaveLength(3)
  })

  it('may be less than was announced; the rest can be sent later', async () => {
    const { customer, orderId, id } = await approved(2)
    expect((await receive(id, { sku: 'MUG', quantity: 1, restock: true })).body.refund.amount).toBe(1290)
    const again = (await ask(customer, orderId, item(1))).body
    expect(again.status).toBe('requested')
    await shop.post(`/returns/${again.id}/approval`, { as: 'staff' })
    const last = await receive(again.id, { sku: 'MUG', quantity: 1, restock: true })
    expect(last.body.refund.amount).toBe(1290)
    expect((await ask(customer, orderId, item(1))).status).toBe(409)
  })

  it('cannot be more than was announced, and changes nothing then', async () => {
    const { orderId, id } = await approved(1)
    const detail = 'The customer has announced 1 of MUG.'
    expectOwnProblem(
      await receive(id, { sku: 'MUG', quantity: 2, restock: true }),
      'more-than-announced',
      [422, 'More pieces than the customer has announced'],
      detail,
      [{ pointer: '/body/items/0/quantity', detail }],
    )
    expect((await emitted(orderId)).map(({ type }) => type)).not.toContain('return.received')
  })

  it('is received once, also if two members of staff say so at once', async () => {
    const { orderId, id } = await approved(2)
    const one = () => receive(id, { sku: 'MUG', quantity: 2, restock: true })
    const answers = await Promise.all([one(), one(), one()])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect((await emitted(orderId)).filter(({ type }) => type === 'return.received')).toHaveLength(1)
  })
})

describe('a customer', () => {
  it('who is deleted leaves no words behind, but what the books need', async () => {
    const { customer, orderId } = await bought()
    const note = uuidv7()
    const { id } = (await ask(customer, orderId, item(1, { note }))).body
    await ask('staff', orderId, item(1, { note }))
    expect(await tablesWith(shop.admin, note)).toEqual(['returns.idempotency_keys', 'returns.returns'])
    await shop.react('forget-returner', 'user.deleted', { userId: customer.id })
    expect(await tablesWith(shop.admin, note)).toEqual([])
    expect((await shop.get(`/returns/${id}`, { as: 'staff' })).body).toMatchObject({
      customerId: customer.id,
      items: [{ sku: 'MUG', quantity: 1, reason: 'unwanted', note: null }],
    })
  })

  it('who claims a record has its orders and returns', async () => {
    const record = { ...shop.newUser(), id: uuidv7() }
    const orderId = await ship(shop, record.id)
    const { id } = (await ask('staff', orderId, item(1))).body
    const account = shop.newUser()
    await shop.react('move-returns', 'customer.claimed', { customerId: record.id, userId: account.id })
    expect((await shop.get(`/returns/${id}`, { as: account })).body.customerId).toBe(account.id)
    expect((await ask(account, orderId, item(1))).status).toBe(201)
    // an order that is heard of later
    const later = await ship(shop, record.id)
    expect((await ask(account, later, item(1))).status).toBe(201)
  })
})
