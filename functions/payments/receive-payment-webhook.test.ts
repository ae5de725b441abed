import * as fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createSigner, newKey } from '../../events/signature.ts'
import { deliveryKey } from '../../test/deliveries.ts'
import { openPayments } from '../../test/shop-with-sandbox.ts'
import { ProviderUnavailable, type PaymentProvider } from './provider.ts'
import type { Entry } from './sandbox/sandbox.ts'
import { webhookOf } from './sandbox/webhooks.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

type Order = ReturnType<typeof shop.reserved>

/** Sends a signed body, as the provider does. */
function send(body: string, { key = deliveryKey, id = uuidv7() } = {}) {
  const headers = { 'content-type': 'application/json', ...createSigner([key])(id, body) }
  return shop.post('/payments/webhooks', { headers, body, key: null })
}

/** Returns what the provider has done for an order, oldest first. */
async function entriesOf({ orderId }: Order): Promise<Entry[]> {
  const { id } = await shop.paymentOf(orderId)
  return (await shop.sandbox.journal(id)).filter(({ outcome }) => outcome !== 'refused')
}

/** Sends the webhook of the last thing that the provider has done for an order. */
async function hearTheLast(order: Order) {
  const entry = (await entriesOf(order)).at(-1)!
  const { status } = await send(webhookOf(entry))
  expect(status).toBe(204)
}

/**
 * Runs `work` while the provider does what it is asked, but its answers are lost.
 * @param looks how many look-ups succeed before they fail, too
 */
async function withoutAnswers(work: () => Promise<unknown>, looks = 0) {
  const deps = shop.deps('payments')
  const { provider } = deps
  const lost =
    <A extends unknown[]>(call: (...args: A) => Promise<unknown>) =>
    async (...args: A): Promise<never> => {
      await call(...args)
      throw new ProviderUnavailable('the answer is lost')
    }
  const silent: PaymentProvider = {
    authorize: lost((...args) => provider.authorize(...args)),
    capture: lost((...args) => provider.capture(...args)),
    void: lost((...args) => provider.void(...args)),
    refund: lost((...args) => provider.refund(...args)),
    lookUp: async (reference) => {
      if (looks-- > 0) return provider.lookUp(reference)
      throw new ProviderUnavailable('the look-up is lost')
    },
  }
  deps.provider = silent
  await work().finally(() => (deps.provider = provider))
}

const isLost = (work: Promise<unknown>) => expect(work).rejects.toThrow('is lost')

describe('receive-payment-webhook', () => {
  it('settles an authorisation whose answer was lost', async () => {
    const order = shop.reserved()
    await withoutAnswers(() => isLost(shop.authorize(order)))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'authorizing' })
    await hearTheLast(order)
    const payment = await shop.paymentOf(order.orderId)
    expect(payment).toMatchObject({ status: 'authorized', providerId: expect.stringMatching(/^pay_/) })
    expect(await shop.tokenOf(order)).toBeUndefined()
    expect(await shop.emitted(order.orderId)).toMatchObject([
      {
        type: 'payment.authorized',
        data: { orderId: order.orderId, paymentId: payment.id, amount: order.total },
      },
    ])
    await shop.authorize(order)
    expect(await shop.told(order)).toEqual(['authorized'])
    expect(await shop.done(order)).toEqual(['authorize'])
  })

  it('settles a declined card, with the reason', async () => {
    const order = shop.reserved('card_declined')
    await withoutAnswers(() => isLost(shop.authorize(order)))
    await hearTheLast(order)
    const reason = 'the issuer declined the card'
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'declined', reason })
    expect(await shop.emitted(order.orderId)).toMatchObject([{ type: 'payment.declined', data: { reason } }])
    expect(await shop.tokenOf(order)).toBeUndefined()
  })

  it('settles a capture whose answer was lost', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await withoutAnswers(() => isLost(shop.capture(order)))
    await hearTheLast(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'captured', captured: 2500 })
    await shop.capture(order)
    expect(await shop.told(order)).toEqual(['authorized', 'captured'])
    expect(await shop.done(order)).toEqual(['authorize', 'capture'])
  })

  it('settles a void whose answer was lost', async () => {
    const order = shop.reserved()
    await shop.authorize(order)
    await withoutAnswers(() => isLost(shop.cancel(order)), 1)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voiding' })
    await hearTheLast(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'voided' })
    await shop.cancel(order)
    expect(await shop.told(order)).toEqual(['authorized', 'voided'])
    expect(await shop.done(order)).toEqual(['authorize', 'void'])
  })

  it('finishes a refund whose answer was lost, on behalf of whoever asked for it', async () => {
    const { order, payment } = await shop.captured()
    const [key, body] = [uuidv7(), { amount: 700, reason: 'late' }]
    const ask = () => shop.post(`/payments/${payment.id}/refunds`, { as: 'staff', body, key })
    await withoutAnswers(async () => expect((await ask()).status).toBe(503))
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ refunded: 0, refunding: 700 })
    const before = shop.securityLog.length
    await hearTheLast(order)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ refunded: 700, refunding: 0 })
    const { id } = shop.users.staff
    expect(shop.securityLog.slice(before)).toMatchObject([
      { event: 'payment-refunded', actor: { id, role: 'staff' }, amount: 700 },
    ])
    expect(await shop.actorsOf('payment.refunded', order.orderId)).toEqual([`staff:${id}`])
    expect(await ask()).toMatchObject({ status: 201, body: { status: 'done' } })
    expect(await shop.told(order)).toEqual(['authorized', 'captured', 'refund.requested', 'refunded'])
    expect(shop.securityLog.slice(before)).toHaveLength(1)
  })

  it('changes nothing of what is known, whatever comes again, and in any order', async () => {
    const orders = await Promise.all([
      shop.captured().then(({ order }) => order),
      authorized().then(async (order) => (await shop.cancel(order), order)),
      shop.captured().then(async ({ order }) => (await shop.cancel(order), order)),
      authorized('card_declined'),
      authorized(),
    ])
    const stateOf = async (order: Order) => [await shop.paymentOf(order.orderId), await shop.told(order)]
    const before = await Promise.all(orders.map(stateOf))
    const webhooks = (await Promise.all(orders.map(entriesOf))).flat().map(webhookOf)
    expect(webhooks).toHaveLength(9)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...webhooks), { maxLength: 20 }), async (some) => {
        const answers = await Promise.all(some.map((body) => send(body)))
        expect(answers.filter(({ status }) => status !== 204)).toEqual([])
      }),
      { numRuns: 10 },
    )
    expect(await Promise.all(orders.map(stateOf))).toEqual(before)
  })

  it('settles once, if the same webhook comes ten times at once, beside the delivery', async () => {
    const order = shop.reserved()
    await withoutAnswers(() => isLost(shop.authorize(order)))
    const [entry] = await entriesOf(order)
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => send(webhookOf(entry!), { id: 'evt_1' })),
      shop.authorize(order).then(() => ({ status: 204 })),
    ])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
    expect(await shop.told(order)).toEqual(['authorized'])
  })

  it('does not believe an old webhook more than what has happened since', async () => {
    const order = await authorized()
    const [authorization] = await entriesOf(order)
    await withoutAnswers(() => isLost(shop.capture(order)))
    expect((await send(webhookOf(authorization!))).status).toBe(204)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'capturing' })
  })

  it('takes a webhook about a payment that the shop does not have, and does nothing', async () => {
    const order = await authorized()
    const [entry] = await entriesOf(order)
    for (const reference of [uuidv7(), 'order 7 of another shop']) {
      const other = { ...entry!, payment: { ...entry!.payment, reference } }
      expect(await send(webhookOf(other))).toMatchObject({ status: 204, text: '' })
    }
  })

  it('does not take another payment for ours that has the same reference', async () => {
    const order = await authorized()
    await withoutAnswers(() => isLost(shop.capture(order)))
    const [, entry] = await entriesOf(order)
    const other = { ...entry!, payment: { ...entry!.payment, id: 'pay_other' } }
    expect((await send(webhookOf(other))).status).toBe(204)
    expect(await shop.paymentOf(order.orderId)).toMatchObject({ status: 'capturing' })
  })
})

describe('a webhook is refused', () => {
  const body = '{"type":"payment.captured"}'
  const refused = { status: 401, body: { type: expect.stringMatching(/webhook-not-signed$/) } }

  it('if it is not signed with the shared key, and the security log says so', async () => {
    const before = shop.securityLog.length
    expect(await shop.post('/payments/webhooks', { body })).toMatchObject(refused)
    expect(await send(body, { key: newKey() })).toMatchObject(refused)
    const entry = { event: 'webhook-not-signed', outcome: 'refused', operation: 'receive-payment-webhook' }
    expect(shop.securityLog.slice(before)).toMatchObject([entry, entry])
  })

  it('if its body was changed on the way', async () => {
    const headers = createSigner([deliveryKey])('evt_1', body)
    const changed = body.replace('captured', 'refunded')
    expect(await shop.post('/payments/webhooks', { headers, body: changed })).toMatchObject(refused)
  })

  it.each([
    [-6 * 60, 'It was signed too long ago'],
    [6 * 60, 'It was signed in the future'],
  ])('if it was signed %i s from now', async (seconds, why) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
    const headers = createSigner([deliveryKey])('evt_1', body)
    vi.useRealTimers()
    const answer = await shop.post('/payments/webhooks', { headers, body })
    expect(answer).toMatchObject({ ...refused, body: { detail: expect.stringContaining(why) } })
    expect(answer.headers.get('www-authenticate')).toBe('Standard-Webhooks')
  })

  it.each(['no JSON', '[]', body, '{"type":"payment.captured","data":{"payment":{"id":""}}}'])(
    'if it is signed, but not one of the provider’s: %s',
    async (odd) => {
      expect(await send(odd)).toMatchObject({
        status: 400,
        body: { type: expect.stringMatching(/webhook-unreadable$/) },
      })
    },
  )
})

describe('the sandbox', () => {
  it('settles with its webhooks what the shop could not find out', async () => {
    const hearing = await openPayments({ hears: true })
    const order = hearing.reserved('card_timeout')
    const deps = hearing.deps('payments')
    const away = () => Promise.reject(new ProviderUnavailable('the look-up is lost'))
    deps.provider = { ...deps.provider, lookUp: away }
    await hearing.authorize(order).catch(() => {})
    await expect.poll(() => hearing.told(order)).toEqual(['authorized'])
    await hearing.capture(order).catch(() => {})
    await expect.poll(() => hearing.told(order)).toEqual(['authorized', 'captured'])
    expect(await hearing.done(order)).toEqual(['authorize', 'capture'])
    await hearing.close()
  })
})

async function authorized(cardToken?: string) {
  const order = shop.reserved(cardToken)
  await shop.authorize(order)
  return order
}
