import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PaymentProvider } from './provider.ts'
import { Unavailable } from '../shared/store/store-errors.ts'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** Retries a delivery until it succeeds, as the dispatcher does, up to five times. */
async function untilTaken(deliver: () => Promise<unknown>) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deliver()
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

/** Runs `work` with some of the provider's methods replaced. */
async function withProvider(
  change: (real: PaymentProvider) => Partial<PaymentProvider>,
  work: () => Promise<unknown>,
) {
  const deps = shop.deps('payments')
  const { provider } = deps
  deps.provider = { ...provider, ...change(provider) }
  await work().finally(() => (deps.provider = provider))
}

describe('void-payment', () => {
  it('voids an authorisation', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await shop.cancel(order)
    const payment = await shop.paymentOf(order.orderId)
    expect(payment.status).toBe('voided')
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.voided',
      data: { orderId: order.orderId, paymentId: payment.id, amount: order.total },
    })
    expect((await shop.sandbox.journal(payment.id)).at(-1)).toMatchObject({
      operation: 'void',
      key: `void:${payment.id}`,
    })
  })

  it('refunds a captured payment', async () => {
    const { order } = await shop.captured()
    await shop.cancel(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'refunded', refunded: 2500 })
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.refunded',
      data: { amount: order.total },
    })
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'refund'])
    expect(shop.securityLog.at(-1)).toMatchObject({
      event: 'payment-refunded',
      actor: 'system',
      amount: 2500,
    })
  })

  it('refunds only what is left after earlier refunds', async () => {
    const { order, payment } = await shop.captured()
    await shop.post(`/payments/${payment.id}/refunds`, { as: 'staff', body: { amount: 700, reason: 'late' } })
    await shop.cancel(order)
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({ data: { amount: { amount: 1800 } } })
  })

  it('finishes a refund that was begun before a crash', async () => {
    const { order } = await shop.captured()
    await withProvider(
      (real) => ({
        refund: async (...request) => {
          await real.refund(...request)
          throw new Error('killed')
        },
      }),
      () => expect(shop.cancel(order)).rejects.toThrow('killed'),
    )
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', refunding: 2500 })
    await shop.cancel(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture', 'refund'])
  })

  it('does nothing for a card that was declined', async () => {
    const order = shop.reserved('card_declined')
    await shop.authorize(order)
    await shop.cancel(order)
    expect(await shop.told(order)).toEqual(['declined'])
  })

  it('voids once for repeated and concurrent deliveries', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    const id = uuidv7()
    await Promise.all(Array.from({ length: 10 }, (_, i) => shop.cancel(order, i < 5 ? id : undefined)))
    await shop.cancel(order, id)
    expect(await shop.told(order)).toEqual(['authorized', 'voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it.each(['card_timeout', 'card_flaky'])('voids a payment by %s once', async (card) => {
    const order = shop.reserved(card)
    await untilTaken(() => shop.authorize(order))
    await untilTaken(() => shop.cancel(order))
    expect(await shop.told(order)).toEqual(['authorized', 'voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('fails during a capture, and refunds when delivered again', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await withProvider(
      (real) => ({
        capture: async (...request) => {
          await expect(shop.cancel(order)).rejects.toBeInstanceOf(Unavailable)
          return real.capture(...request)
        },
      }),
      () => shop.capture(order),
    )
    await shop.cancel(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
  })
})

describe('a cancellation that overtakes the authorisation', () => {
  it('prevents the authorisation if it arrives first', async () => {
    const order = shop.reserved()
    await shop.cancel(order)
    await shop.authorize(order)
    await shop.cancel(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voided', customerId: null })
    expect(await shop.told(order)).toEqual([])
    expect(await shop.done(order)).toEqual([])
  })

  it('voids if it arrives before the provider is called', async () => {
    const order = shop.reserved()
    await withProvider(
      (real) => ({
        authorize: async (...request) => {
          if (!(await shop.told(order)).includes('voided')) await withReal(real, () => shop.cancel(order))
          return real.authorize(...request)
        },
      }),
      () => shop.authorize(order),
    )
    expect(await shop.told(order)).toEqual(['voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('voids if it arrives during the call to the provider', async () => {
    const order = shop.reserved('card_slow')
    await expect(shop.authorize(order)).rejects.toThrow('payment provider')
    await untilTaken(() => shop.cancel(order))
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voided' })
    expect(await shop.tokenOf(order)).toBeUndefined()
    expect(await shop.told(order)).toEqual(['voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('voids if it arrives after the provider’s answer and before the commit', async () => {
    const order = shop.reserved()
    await withProvider(
      (real) => ({
        authorize: async (...request) => {
          const answer = await real.authorize(...request)
          await withReal(real, () => shop.cancel(order))
          return answer
        },
      }),
      () => shop.authorize(order),
    )
    expect(await shop.told(order)).toEqual(['voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('voids if the authorising process died, without waiting for its event to be redelivered', async () => {
    const order = shop.reserved()
    await withProvider(
      () => ({
        authorize: () => Promise.reject(new Error('killed')),
        lookUp: () => Promise.reject(new Error('killed')),
      }),
      () => expect(shop.authorize(order)).rejects.toThrow('killed'),
    )
    await shop.cancel(order)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voided' })
    expect(await shop.told(order)).toEqual(['voided'])
  })

  it('voids nothing if the card turns out to be declined', async () => {
    const order = shop.reserved('card_declined')
    await withProvider(
      () => ({ authorize: () => Promise.reject(new Error('killed')) }),
      () => expect(shop.authorize(order)).rejects.toThrow('killed'),
    )
    await shop.cancel(order)
    await shop.authorize(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'declined' })
    expect(await shop.told(order)).toEqual([])
  })

  it('voids each authorisation once in a hundred races', async () => {
    const cards = ['card_approved', 'card_flaky', 'card_declined', 'card_capture_fails']
    const orders = Array.from({ length: 100 }, (_, i) => shop.reserved(cards[i % cards.length]))
    await Promise.all(
      orders.map(async (order, i) => {
        const deliveries = [
          () => shop.authorize(order),
          () => shop.cancel(order),
          () => shop.authorize(order),
        ]
        if (i % 3 === 0) deliveries.reverse()
        if (i % 2 === 0) deliveries.push(() => shop.cancel(order))
        await Promise.all(deliveries.map(untilTaken))
      }),
    )
    for (const order of orders) {
      const { status } = await shop.paymentOf(order.orderId)
      expect(['voided', 'declined']).toContain(status)
      expect([[], ['authorize', 'void']]).toContainEqual(await shop.done(order))
      expect((await shop.told(order)).filter((type) => type === 'voided').length).toBeLessThanOrEqual(1)
    }
  })
})

/** Runs `work` with the real provider. */
const withReal = (real: PaymentProvider, work: () => Promise<unknown>) => withProvider(() => real, work)
