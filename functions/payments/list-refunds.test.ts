import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPayments } from '../../test/shop-with-sandbox.ts'

let shop: Awaited<ReturnType<typeof openPayments>>
beforeAll(async () => {
  shop = await openPayments()
})
afterAll(() => shop.close())

/** Creates a payment with refunds of these amounts. Returns the payment and the ids of the refunds. */
async function refunded(...amounts: number[]) {
  const { payment } = await shop.captured()
  const ids: string[] = []
  for (const amount of amounts) {
    const body = { amount, reason: 'broken' }
    ids.push((await shop.create(`/payments/${payment.id}/refunds`, { as: 'staff', body })).id)
  }
  return { payment, ids }
}

const idsOf = ({ body }: { body: { items: { id: string }[] } }) => body.items.map(({ id }) => id)

describe('list-refunds', () => {
  it('returns the refunds of the customer’s own payment, newest first', async () => {
    const { payment, ids } = await refunded(100, 200)
    await refunded(300)
    const answer = await shop.get(`/payments/${payment.id}/refunds`, { as: 'customer' })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      items: [200, 100].map((amount, i) => ({
        id: ids.toReversed()[i],
        paymentId: payment.id,
        amount: { amount, currency: 'EUR' },
        reason: 'broken',
        status: 'done',
        at: expect.any(String),
      })),
    })
  })

  it('returns an empty list if nothing was refunded', async () => {
    const { payment } = await refunded()
    const answer = await shop.get(`/payments/${payment.id}/refunds`, { as: 'customer' })
    expect(answer).toMatchObject({ status: 200, body: { items: [] } })
  })

  it.each(['staff', 'admin'] as const)('returns those of any payment to %s', async (as) => {
    const { payment, ids } = await refunded(100)
    expect(idsOf(await shop.get(`/payments/${payment.id}/refunds`, { as }))).toEqual(ids)
  })

  it('hides those of someone else’s payment', async () => {
    const { payment } = await refunded(100)
    const answers = [
      await shop.get(`/payments/${payment.id}/refunds`, { as: shop.newUser() }),
      await shop.get(`/payments/${payment.id}/refunds`, { as: 'seller' }),
      await shop.get(`/payments/${uuidv7()}/refunds`, { as: 'customer' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  })

  it('filters by status', async () => {
    const { payment, ids } = await refunded(100)
    const path = `/payments/${payment.id}/refunds`
    expect(idsOf(await shop.get(`${path}?status=done`, { as: 'customer' }))).toEqual(ids)
    expect(idsOf(await shop.get(`${path}?status=failed`, { as: 'customer' }))).toEqual([])
  })

  it('pages with a cursor and a Link', async () => {
    const { payment, ids } = await refunded(100, 200, 300)
    const path = `/payments/${payment.id}/refunds?limit=2`
    const first = await shop.get(path, { as: 'customer' })
    expect(idsOf(first)).toEqual([ids[2], ids[1]])
    expect(first.headers.get('link')).toBe(`</api/v1${path}&cursor=${first.body.next}>; rel="next"`)
    const second = await shop.get(`${path}&cursor=${first.body.next}`, { as: 'customer' })
    expect(idsOf(second)).toEqual([ids[0]])
    expect(second.headers.get('link')).toBeNull()
  })
})
