import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { openPayments } from '../../test/shop-with-sandbox.ts'
import { transaction } from '../shared/store/transaction.ts'
import { payments } from './payment.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** An order of a customer of its own. */
const reserved = () => ({ ...shop.reserved(), customerId: uuidv7() })

const claimed = (customerId: string, userId: string, id?: string) =>
  shop.react('move-payments', 'customer.claimed', { customerId, userId }, id)

describe('the payments of a customer who has claimed their record', () => {
  it('belong to the account, and those of others stay', async () => {
    const [order, other, user] = [reserved(), reserved(), shop.newUser()]
    await shop.authorize(order)
    await shop.authorize(other)
    const event = await claimed(order.customerId, user.id)
    await claimed(order.customerId, user.id, event.id)
    const { body } = await shop.get('/payments', { as: user })
    expect(body.items).toMatchObject([{ orderId: order.orderId, customerId: user.id }])
    expect((await shop.paymentOf(other.orderId)).customerId).toBe(other.customerId)
  })

  it('belong to it from the beginning, if they are opened later', async () => {
    const [order, user] = [reserved(), shop.newUser()]
    await claimed(order.customerId, user.id)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ customerId: user.id, status: 'authorized' })
  })

  it('are waited for while they are being opened', async () => {
    const [{ orderId, customerId }, user] = [reserved(), shop.newUser()]
    const { db } = shop.deps('payments')
    let moving: Promise<unknown> = Promise.resolve()
    await transaction(db, async (tx) => {
      await tx
        .insert(payments)
        .values({ id: uuidv7(), orderId, customerId, status: 'authorizing', amount: 1, currency: 'EUR' })
      moving = claimed(customerId, user.id)
      // committed only once the reaction waits for it
      await expect
        .poll(
          async () =>
            (await tx.client`select 1 from pg_locks where mode = 'ShareRowExclusiveLock' and not granted`)
              .length,
        )
        .toBe(1)
    })
    await moving
    expect((await shop.paymentOf(orderId)).customerId).toBe(user.id)
  })
})

describe('the refunds of a customer without an account who is deleted', () => {
  it('no longer say why', async () => {
    const order = reserved()
    await shop.authorize(order)
    await shop.react('capture-payment', 'order.shipped', { orderId: order.orderId })
    const { id } = await shop.paymentOf(order.orderId)
    const reason = uuidv7()
    const send = { as: 'staff', body: { amount: 100, reason } } as const
    expect((await shop.post(`/payments/${id}/refunds`, send)).status).toBe(201)
    await shop.react('forget-payer', 'customer.deleted', { customerId: order.customerId })
    expect(await tablesWith(shop.admin, reason)).toEqual([])
  })
})
