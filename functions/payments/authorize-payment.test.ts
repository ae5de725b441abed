import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpProvider } from './http-provider.ts'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

describe('authorize-payment', () => {
  it('authorises the total', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    const payment = await shop.paymentOf(order.orderId)
    expect(payment).toMatchObject({ status: 'authorized', amount: 2500, currency: 'EUR' })
    expect(await shop.emitted(order.orderId)).toMatchObject([
      {
        type: 'payment.authorized',
        data: { orderId: order.orderId, paymentId: payment.id, amount: order.total },
      },
    ])
    expect(await shop.tokenOf(order)).toBeUndefined()
    const [entry] = await shop.sandbox.journal(payment.id)
    expect(entry).toMatchObject({ operation: 'authorize', key: `authorize:${payment.id}`, amount: 2500 })
  })

  it.each([
    ['card_declined', 'the issuer declined the card'],
    ['card_insufficient_funds', 'insufficient funds'],
    ['card_of_nobody', 'unknown card'],
  ])('emits payment.declined with the reason for %s', async (card, reason) => {
    const order = shop.reserved(card)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'declined', reason })
    expect(await shop.tokenOf(order)).toBeUndefined()
    expect(await shop.emitted(order.orderId)).toMatchObject([{ type: 'payment.declined', data: { reason } }])
  })

  it('looks up what the provider did if the answer never arrives', async () => {
    const order = shop.reserved('card_timeout')
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['authorized'])
    expect(await shop.done(order)).toEqual(['authorize'])
  })

  it('fails until the provider has the payment, and authorises once', async () => {
    const order = shop.reserved('card_slow')
    await expect(shop.authorize(order)).rejects.toThrow('payment provider')
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'authorizing' })
    expect(await shop.told(order)).toEqual([])
    await expect.poll(() => shop.done(order), { timeout: 10_000 }).toEqual(['authorize'])
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['authorized'])
    expect(await shop.done(order)).toEqual(['authorize'])
  })

  it('waits for a slow card if the timeout allows it', async () => {
    const order = shop.reserved('card_slow')
    const deps = shop.deps('payments')
    const { provider } = deps
    deps.provider = httpProvider(shop.sandbox.url, shop.sandbox.apiKey)
    await shop.authorize(order).finally(() => (deps.provider = provider))
    expect(await shop.told(order)).toEqual(['authorized'])
  })

  it('fails for a flaky card, and succeeds when delivered again', async () => {
    const order = shop.reserved('card_flaky')
    await expect(shop.authorize(order)).rejects.toThrow('503')
    const before = await shop.paymentOf(order.orderId)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ id: before.id, status: 'authorized' })
    expect(await shop.told(order)).toEqual(['authorized'])
  })

  it('does nothing when delivered again', async () => {
    const order = shop.reserved()
    const { id } = await shop.authorize(order)
    const before = await shop.paymentOf(order.orderId)
    await shop.authorize(order, id)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toEqual(before)
    expect(await shop.told(order)).toEqual(['authorized'])
  })

  it('authorises once for ten concurrent deliveries', async () => {
    const order = shop.reserved()
    const id = uuidv7()
    await Promise.all(Array.from({ length: 10 }, (_, i) => shop.authorize(order, i < 5 ? id : undefined)))
    expect(await shop.told(order)).toEqual(['authorized'])
    expect(await shop.done(order)).toEqual(['authorize'])
  })

  it('authorises all payments that wait together, and does not let one wait for another', async () => {
    const orders = ['card_approved', 'card_declined', 'card_flaky', 'card_slow'].map((card) =>
      shop.reserved(card),
    )
    await Promise.all(orders.map((order) => shop.leaveToken(order)))
    const events = orders.map((order) => shop.eventOf('stock.reserved', order))
    const running = shop.handleAll('authorize-payment', events)
    const status = async (i: number) => (await shop.paymentOf(orders[i]!.orderId)).status
    await expect.poll(() => status(0)).toBe('authorized')
    await expect.poll(() => status(1)).toBe('declined')
    expect(await status(3)).toBe('authorizing')
    const [approved, declined, flaky, slow] = await running
    expect([approved, declined]).toEqual([undefined, undefined])
    expect(flaky).toMatchObject({ message: expect.stringContaining('503') })
    expect(slow).toMatchObject({ message: expect.stringContaining('payment provider') })
  })

  it('resumes after being killed between the provider’s answer and the commit', async () => {
    const order = shop.reserved('card_declined')
    const deps = shop.deps('payments')
    const { provider } = deps
    deps.provider = {
      ...provider,
      authorize: async (...request) => {
        await provider.authorize(...request)
        throw new Error('killed')
      },
      lookUp: () => Promise.reject(new Error('killed')),
    }
    await expect(shop.authorize(order)).rejects.toThrow('killed')
    deps.provider = provider
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['declined'])
  })

  it('does not call the provider for an order that costs nothing', async () => {
    const order = shop.reserved('card_approved', 0)
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['authorized'])
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
    expect(await shop.done(order)).toEqual([])
  })

  it('fails without deciding while the provider cannot be reached', async () => {
    await shop.sandbox.stop()
    const order = shop.reserved()
    await expect(shop.authorize(order)).rejects.toThrow('payment provider')
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'authorizing' })
    await shop.sandbox.start()
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['authorized'])
  })
})
