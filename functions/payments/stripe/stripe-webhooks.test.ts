import { createHmac } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eq } from 'drizzle-orm'
import type { EventData } from '../../../events/event.ts'
import { openShop, type TestShop } from '../../../test/shop.ts'
import { payments } from '../payment.ts'

/** A shop that has an account at Stripe, which cannot be reached: whatever it knows, it knows by webhooks. */
let shop: TestShop
const [old, secret] = ['whsec_old', 'whsec_of_this_endpoint']
beforeAll(async () => {
  shop = await openShop(['payments'], {
    PAYMENT_PROVIDER: 'stripe',
    PAYMENT_WEBHOOK_KEYS: `${secret} ${old}`,
  })
})
afterAll(() => shop.close())

const now = () => Math.floor(Date.now() / 1000)

const signature = (body: string, key = secret, time = now()) =>
  `t=${time},v1=${createHmac('sha256', key).update(`${time}.${body}`).digest('hex')}`

const send = (body: string, header = signature(body)) =>
  shop.post('/payments/webhooks', {
    body,
    headers: { 'content-type': 'application/json', 'stripe-signature': header },
  })

const eventOf = (type: string, object: object) =>
  JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object } })

/** Returns an order whose authorisation was begun. */
async function reserved(): Promise<EventData<'stock.reserved'>> {
  const orderId = uuidv7()
  const order = { orderId, customerId: uuidv7(), total: { amount: 500, currency: 'EUR' } }
  await shop.leaveSecret('payments', orderId, 'pm_card_visa')
  await expect(shop.react('authorize-payment', 'stock.reserved', order)).rejects.toThrow('payment provider')
  return order
}

async function paymentOf({ orderId }: { orderId: string }) {
  const [row] = await shop.deps('payments').db.select().from(payments).where(eq(payments.orderId, orderId))
  return row!
}

const intentOf = async (order: { orderId: string }, more: object) => ({
  id: 'pi_7',
  status: 'requires_capture',
  amount: 500,
  amount_received: 0,
  currency: 'eur',
  metadata: { reference: (await paymentOf(order)).id },
  latest_charge: 'ch_7',
  ...more,
})

const told = async ({ orderId }: { orderId: string }) => (await shop.emitted(orderId)).map(({ type }) => type)

describe('a webhook of Stripe', () => {
  it('settles an authorisation, and a capture later', async () => {
    const order = await reserved()
    const authorized = eventOf('payment_intent.amount_capturable_updated', await intentOf(order, {}))
    expect((await send(authorized)).status).toBe(204)
    expect(await paymentOf(order)).toMatchObject({ status: 'authorized', providerId: 'pi_7' })
    await expect(shop.react('capture-payment', 'order.shipped', { orderId: order.orderId })).rejects.toThrow(
      'payment provider',
    )
    const captured = await intentOf(order, { status: 'succeeded', amount_received: 500 })
    for (const body of [authorized, eventOf('payment_intent.succeeded', captured), authorized])
      expect((await send(body)).status).toBe(204)
    expect(await paymentOf(order)).toMatchObject({ status: 'captured', captured: 500 })
    expect(await told(order)).toEqual(['payment.authorized', 'payment.captured'])
  })

  it('settles a declined card, with Stripe’s reason', async () => {
    const order = await reserved()
    const last_payment_error = { message: 'Your card was declined.' }
    const failed = await intentOf(order, { status: 'requires_payment_method', last_payment_error })
    expect((await send(eventOf('payment_intent.payment_failed', failed))).status).toBe(204)
    expect(await paymentOf(order)).toMatchObject({ status: 'declined', reason: 'Your card was declined.' })
  })

  it('finishes a refund', async () => {
    const order = await reserved()
    await send(eventOf('payment_intent.amount_capturable_updated', await intentOf(order, {})))
    await expect(shop.react('capture-payment', 'order.shipped', { orderId: order.orderId })).rejects.toThrow(
      'payment provider',
    )
    const captured = await intentOf(order, { status: 'succeeded', amount_received: 500 })
    await send(eventOf('payment_intent.succeeded', captured))
    const { id } = await paymentOf(order)
    const body = { amount: 200, reason: 'late' }
    expect((await shop.post(`/payments/${id}/refunds`, { as: 'staff', body })).status).toBe(503)
    const requested = (await shop.emitted(order.orderId)).find(({ type }) => type === 'refund.requested')
    const { refundId } = requested!.data as EventData<'refund.requested'>
    const refund = {
      id: 're_7',
      status: 'pending',
      amount: 200,
      metadata: { key: `refund:${refundId}` },
      payment_intent: 'pi_7',
    }
    await send(eventOf('refund.created', refund))
    await send(eventOf('refund.updated', { ...refund, status: 'succeeded', payment_intent: 'pi_other' }))
    expect(await paymentOf(order)).toMatchObject({ refunded: 0, refunding: 200 })
    await send(eventOf('refund.updated', { ...refund, status: 'succeeded' }))
    expect(await paymentOf(order)).toMatchObject({ refunded: 200, refunding: 0 })
  })

  it.each([
    ['requires_payment_method', 'payment_intent.created'],
    ['requires_action', 'payment_intent.requires_action'],
    ['processing', 'payment_intent.processing'],
  ])('decides nothing while the payment is %s', async (status, type) => {
    const order = await reserved()
    expect((await send(eventOf(type, await intentOf(order, { status })))).status).toBe(204)
    expect(await paymentOf(order)).toMatchObject({ status: 'authorizing' })
  })

  it('about something else is taken, and does nothing', async () => {
    expect(await send(eventOf('customer.created', { id: 'cus_1' }))).toMatchObject({ status: 204, text: '' })
  })

  it('may be signed with any of the secrets, and with others beside', async () => {
    const body = eventOf('customer.created', {})
    const time = now()
    const others = `v0=00,v1=${'0'.repeat(64)}`
    const [, good] = signature(body, old, time).split(',')
    expect((await send(body, `t=${time},${others},${good}`)).status).toBe(204)
  })

  it.each([
    ['no signature', () => ''],
    ['a signature of nothing', () => `t=${now()},v1=`],
    ['another secret', (body: string) => signature(body, 'whsec_other')],
    ['another body', (body: string) => signature(`${body} `)],
    ['a time that is six minutes ago', (body: string) => signature(body, secret, now() - 360)],
    ['a time in six minutes', (body: string) => signature(body, secret, now() + 360)],
    ['another time than was signed', (body: string) => signature(body).replace(/^t=\d+/, `t=${now() - 60}`)],
    ['a time that is no number', (body: string) => signature(body).replace(/^t=\d+/, 't=today')],
  ])('is refused with %s', async (_, headerOf) => {
    const body = eventOf('customer.created', {})
    expect(await send(body, headerOf(body))).toMatchObject({
      status: 401,
      body: { type: expect.stringMatching(/webhook-not-signed$/) },
    })
  })
})
