import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { EventData, ShopEvent } from '../../events/event.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'
import { refunds } from './payment.ts'
import { ProviderRefused, type PaymentProvider } from './provider.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

const refund = (id: string, body: object = {}, send: { as?: 'staff' | 'admin'; key?: string } = {}) =>
  shop.post(`/payments/${id}/refunds`, { as: 'staff', body: { reason: 'broken', ...body }, ...send })

type Requested = ShopEvent<'refund.requested'>

const refundsAt = async (id: string) =>
  (await shop.sandbox.journal(id)).filter((e) => e.operation === 'refund' && e.outcome === 'done')

/** Runs `work` with a changed `refund` of the provider. */
async function withRefund(
  change: (real: PaymentProvider) => PaymentProvider['refund'],
  work: () => Promise<void>,
) {
  const deps = shop.deps('payments')
  const { provider } = deps
  deps.provider = { ...provider, refund: change(provider) }
  await work().finally(() => (deps.provider = provider))
}

describe('refund-payment', () => {
  it('refunds everything that is left if no amount is given', async () => {
    const { order, payment } = await shop.captured()
    const answer = await refund(payment.id)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/v1/payments/${payment.id}`)
    expect(answer.body).toEqual({
      id: expect.any(String),
      paymentId: payment.id,
      amount: { amount: 2500, currency: 'EUR' },
      reason: 'broken',
      status: 'done',
      at: expect.any(String),
    })
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'refunded',
      refunded: 2500,
      refunding: 0,
    })
    expect((await shop.emitted(order.orderId)).at(-1)).toMatchObject({
      type: 'payment.refunded',
      data: { orderId: order.orderId, paymentId: payment.id, amount: { amount: 2500, currency: 'EUR' } },
    })
    expect(await refundsAt(payment.id)).toMatchObject([{ amount: 2500, key: `refund:${answer.body.id}` }])
  })

  it('is one line of the security log, with who did it', async () => {
    const { payment } = await shop.captured()
    const { body } = await refund(payment.id, { amount: 700 }, { key: 'logged' })
    await refund(payment.id, { amount: 700 }, { key: 'logged' })
    expect(shop.securityLog.filter((entry) => entry['payment'] === payment.id)).toEqual([
      {
        event: 'payment-refunded',
        outcome: 'done',
        actor: { id: shop.users.staff.id, role: 'staff' },
        address: expect.any(String),
        operation: 'refund-payment',
        payment: payment.id,
        refund: body.id,
        amount: 700,
        currency: 'EUR',
      },
    ])
  })

  it('refunds in parts and emits payment.refunded for each', async () => {
    const { order, payment } = await shop.captured()
    expect((await refund(payment.id, { amount: 1000 })).status).toBe(201)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', refunded: 1000 })
    expect((await refund(payment.id, { amount: 1500 }, { as: 'admin' })).status).toBe(201)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'refunded', refunded: 2500 })
    const told = (await shop.emitted(order.orderId)).filter(({ type }) => type === 'payment.refunded')
    expect(told.map(({ data }) => data)).toMatchObject([
      { amount: { amount: 1000 } },
      { amount: { amount: 1500 } },
    ])
  })

  it('rejects more than is left', async () => {
    const { payment } = await shop.captured()
    await refund(payment.id, { amount: 2000 })
    const answer = await refund(payment.id, { amount: 501 })
    expect(answer).toMatchObject({
      status: 409,
      body: { detail: '500 (minor units) can still be refunded.' },
    })
    expect(answer.body.type).toMatch(/refund-too-large$/)
  })

  it('rejects a payment that is not captured or is already refunded', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    const authorized = await refund((await shop.paymentOf(order.orderId)).id)
    expect(authorized.body).toMatchObject({
      status: 409,
      type: expect.stringMatching(/wrong-payment-status$/),
    })
    const { payment } = await shop.captured()
    await refund(payment.id)
    expect((await refund(payment.id)).body.type).toMatch(/wrong-payment-status$/)
  })

  it('rejects a refund of a payment of zero', async () => {
    const { payment } = await shop.captured(0)
    expect((await refund(payment.id)).body.type).toMatch(/refund-too-large$/)
  })

  it.each([
    ['amount', { amount: 0 }],
    ['amount', { amount: 1.5 }],
    ['amount', { amount: '5' }],
    ['reason', { reason: '' }],
    ['currency', { currency: 'EUR' }],
  ])('rejects an invalid %s: %j', async (field, body) => {
    expect(await refund(uuidv7(), body)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: `/body/${field}` }] },
    })
  })

  it('returns 404 if there is no such payment', async () => {
    expect((await refund(uuidv7())).status).toBe(404)
  })

  it('requires staff and an Idempotency-Key', async () => {
    const { payment } = await shop.captured()
    const path = `/payments/${payment.id}/refunds`
    const body = { reason: 'broken' }
    expect((await shop.post(path, { body })).status).toBe(401)
    expect((await shop.post(path, { body, as: 'customer' })).status).toBe(403)
    expect((await shop.post(path, { body, as: 'seller' })).status).toBe(403)
    expect((await shop.post(path, { body, as: 'staff', key: null })).status).toBe(400)
  })
})

describe('a repeated refund-payment', () => {
  it('returns the first answer again, byte for byte', async () => {
    const { payment } = await shop.captured()
    const first = await refund(payment.id, { amount: 100 }, { key: 'same' })
    const again = await refund(payment.id, { amount: 100 }, { key: 'same' })
    expect(again.text).toBe(first.text)
    expect(again.status).toBe(201)
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(await refundsAt(payment.id)).toHaveLength(1)
  })

  it('rejects the key for another amount or payment, even while the first refund is pending', async () => {
    const { payment } = await shop.captured()
    const { payment: other } = await shop.captured()
    await refund(payment.id, { amount: 100 }, { key: 'reused' })
    expect((await refund(payment.id, { amount: 200 }, { key: 'reused' })).status).toBe(422)
    expect((await refund(other.id, { amount: 100 }, { key: 'reused' })).status).toBe(422)
    await shop.sandbox.stop()
    expect((await refund(payment.id, { amount: 100 }, { key: 'pending' })).status).toBe(503)
    await shop.sandbox.start()
    expect((await refund(payment.id, { amount: 200 }, { key: 'pending' })).status).toBe(422)
    expect((await refund(other.id, { amount: 100 }, { key: 'pending' })).status).toBe(422)
    expect((await refund(payment.id, { amount: 100 }, { key: 'pending' })).status).toBe(201)
  })

  it('refunds once for 20 concurrent requests with one key', async () => {
    const { order, payment } = await shop.captured()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refund(payment.id, { amount: 100 }, { key: 'twenty' })),
    )
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(201)
    expect(await refundsAt(payment.id)).toHaveLength(1)
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
  })

  it('never refunds more than is captured for 20 concurrent requests with different keys', async () => {
    const { order, payment } = await shop.captured()
    const answers = await Promise.all(Array.from({ length: 20 }, () => refund(payment.id, { amount: 300 })))
    const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length
    expect([count(201), count(409)]).toEqual([8, 12])
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'captured',
      refunded: 2400,
      refunding: 0,
    })
    expect(await refundsAt(payment.id)).toHaveLength(8)
  })
})

describe('refund-payment during a failure', () => {
  it('reserves the amount for the caller’s next attempt if the provider cannot be reached', async () => {
    const { order, payment } = await shop.captured()
    await shop.sandbox.stop()
    const answer = await refund(payment.id, { amount: 2000 }, { key: 'later' })
    expect(answer.status).toBe(503)
    expect(answer.body.type).toMatch(/payment-provider-unavailable$/)
    expect(answer.headers.get('retry-after')).toBe('5')
    await shop.sandbox.start()
    expect((await refund(payment.id, { amount: 501 })).status).toBe(409)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ refunded: 0, refunding: 2000 })
    expect((await refund(payment.id, { amount: 2000 }, { key: 'later' })).status).toBe(201)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ refunded: 2000, refunding: 0 })
    expect(await refundsAt(payment.id)).toHaveLength(1)
  })

  it.each(['card_timeout', 'card_flaky'])(
    'refunds once if the provider answers only the second time: %s',
    async (card) => {
      const order = shop.reserved(card)
      await shop.authorize(order).catch(() => shop.authorize(order))
      await shop.capture(order).catch(() => shop.capture(order))
      const { id } = await shop.paymentOf(order.orderId)
      expect((await refund(id)).status).toBe(201)
      expect(await refundsAt(id)).toHaveLength(1)
    },
  )

  it('refunds once and emits one event if the process dies after the provider has refunded', async () => {
    const { order, payment } = await shop.captured()
    await withRefund(
      (real) =>
        async (...request) => {
          await real.refund(...request)
          throw new Error('killed')
        },
      async () => expect((await refund(payment.id, {}, { key: 'crash' })).status).toBe(500),
    )
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested'])
    expect((await refund(payment.id, {}, { key: 'crash' })).status).toBe(201)
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
    expect(await refundsAt(payment.id)).toHaveLength(1)
  })

  it('finishes the refund if the process dies and the caller does not retry', async () => {
    const { order, payment } = await shop.captured()
    await withRefund(
      () => () => Promise.reject(new Error('killed')),
      async () => expect((await refund(payment.id, { amount: 700 }, { key: 'gone' })).status).toBe(500),
    )
    const [requested] = (await shop.emitted(order.orderId)).slice(-1)
    const data = requested!.data as EventData<'refund.requested'>
    for (let times = 0; times < 2; times++)
      await shop.react('finish-refund', 'refund.requested', data, requested!.id)
    // a second event for the same refund changes nothing either
    await shop.react('finish-refund', 'refund.requested', data)
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
    expect(await refundsAt(payment.id)).toHaveLength(1)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ refunded: 700, refunding: 0 })
    expect(shop.securityLog.filter((entry) => entry['payment'] === payment.id)).toMatchObject([
      { event: 'payment-refunded', actor: 'system', amount: 700 },
    ])
    // if the caller does retry, it gets the finished refund
    const late = await refund(payment.id, { amount: 700 }, { key: 'gone' })
    expect(late).toMatchObject({ status: 201, body: { id: data.refundId, status: 'done' } })
    expect(await refundsAt(payment.id)).toHaveLength(1)
  })

  it('is one line and one event of the person who asked, even if the reaction finishes it first', async () => {
    const { order, payment } = await shop.captured()
    const actor = `staff:${shop.users.staff.id}` as const
    let isReacting = false
    await withRefund(
      (real) =>
        async (...request) => {
          if (!isReacting) {
            isReacting = true
            const [{ id, type, subject, data }] = (await shop.emitted(order.orderId)).slice(-1) as [Requested]
            const requested = { id, type, subject, data, actor, source: '/payments', time: new Date() }
            await shop.handle('finish-refund', requested)
          }
          return real.refund(...request)
        },
      async () => expect((await refund(payment.id, { amount: 300 })).status).toBe(201),
    )
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
    expect(await shop.actorsOf('payment.refunded', order.orderId)).toEqual([actor])
    expect(shop.securityLog.filter((entry) => entry['payment'] === payment.id)).toMatchObject([
      { event: 'payment-refunded', actor: { id: shop.users.staff.id, role: 'staff' }, amount: 300 },
    ])
  })

  it('frees the amount of a refund that the provider refuses after the process died', async () => {
    const { order, payment } = await shop.captured()
    await withRefund(
      () => () => Promise.reject(new Error('killed')),
      async () => expect((await refund(payment.id, {}, { key: 'never' })).status).toBe(500),
    )
    const [requested] = (await shop.emitted(order.orderId)).slice(-1)
    await withRefund(
      () => () => Promise.reject(new ProviderRefused('the account is closed')),
      async () => {
        await shop.react(
          'finish-refund',
          'refund.requested',
          requested!.data as EventData<'refund.requested'>,
        )
      },
    )
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'captured',
      refunded: 0,
      refunding: 0,
    })
  })

  it('frees the amount if the provider refuses', async () => {
    const { order, payment } = await shop.captured()
    await withRefund(
      () => () => Promise.reject(new ProviderRefused('the account is closed')),
      async () => {
        const answer = await refund(payment.id, {}, { key: 'refused' })
        expect(answer).toMatchObject({
          status: 502,
          body: { detail: 'Nothing was refunded: the account is closed.' },
        })
      },
    )
    expect(await shop.paymentOf(order.orderId)).toMatchObject({
      status: 'captured',
      refunded: 0,
      refunding: 0,
    })
    const kept = await shop.db.select().from(refunds).where(eq(refunds.paymentId, payment.id))
    expect(kept).toMatchObject([{ status: 'failed', key: null }])
    expect((await refund(payment.id, {}, { key: 'refused' })).status).toBe(201)
  })
})
