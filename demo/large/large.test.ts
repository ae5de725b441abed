import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valueOf } from './copy.ts'
import { idOf, isSold, pastOrders, productOf, shoppersOf, skuOf, type Sizes } from './dataset.ts'
import { NewProduct } from '../../functions/products/product.ts'
import { rowsOf } from './history.ts'
import { createProgress } from './progress.ts'

const sizes: Sizes = { products: 50, users: 20, orders: 510, fresh: 10 }
const end = new Date('2027-03-01T12:00:00Z')
const shoppers = shoppersOf(sizes, end)
const past = [...pastOrders(sizes, shoppers, end)]

const terms = {
  prices: 'gross' as const,
  rates: [{ country: 'DE', taxClass: 'standard' as const, rate: 1900, validFrom: '2021-01-01' }],
  shippingMethods: [
    {
      id: 'standard',
      name: 'Standard',
      basis: 'total' as const,
      currency: null,
      steps: [{ upTo: null, amount: 0 }],
      isDefault: true,
    },
  ],
}
const staff = { id: idOf(end, 'staff') }
let place = 0
const rows = past.map((order) => rowsOf(order, terms, staff, () => ++place))

describe('the orders of a large shop', () => {
  it('are the same in each run', () => {
    expect([...pastOrders(sizes, shoppersOf(sizes, end), end)]).toEqual(past)
  })

  it('lie in the past year, oldest first, of customers who had registered', () => {
    expect(past).toHaveLength(500)
    expect(past.map(({ id }) => id)).toEqual(past.map(({ id }) => id).toSorted())
    for (const { placedAt, shopper } of past) {
      expect(placedAt.getTime()).toBeLessThan(end.getTime())
      expect(shopper.at.getTime()).toBeLessThanOrEqual(placedAt.getTime())
    }
    expect(new Set(past.map(({ ending }) => ending)).size).toBe(6)
  })

  it('have ended, with every step in its order and before the end', () => {
    for (const { orders, timeline } of rows) {
      expect(['completed', 'cancelled']).toContain(orders[0]!.status)
      const times = timeline.map(({ at }) => at!.getTime())
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(times.at(-1)).toBeLessThanOrEqual(end.getTime() + 1_000)
      expect(timeline.map(({ seq }) => seq)).toEqual(timeline.map((_, i) => i + 1))
      expect(orders[0]!.entries).toBe(timeline.length)
    }
  })

  it('are paid if they are completed, and otherwise not', () => {
    for (const [i, { orders, payments, refunds }] of rows.entries()) {
      const [payment] = payments
      const paid = isSold(past[i]!.ending) ? orders[0]!.totalAmount : 0
      expect(payment!.captured).toBe(paid)
      expect(payment!.refunded).toBe(refunds.reduce((sum, { amount }) => sum + amount, 0))
      expect(payment!.refunded).toBeLessThanOrEqual(paid)
    }
  })

  it('move what they reserve exactly once', () => {
    for (const { movements, reservations } of rows) {
      const sum = (kinds: string[]) =>
        movements
          .filter(({ kind }) => kinds.includes(kind))
          .reduce((total, { quantity }) => total + quantity, 0)
      const held = reservations[0]!.lines.reduce((total, { quantity }) => total + quantity, 0)
      expect(sum(['reserved'])).toBe(held)
      expect(sum(['sold', 'released'])).toBe(held)
    }
  })

  it('have ids of their own', () => {
    const ids = rows.flatMap((one) => [
      ...one.orders.map(({ id }) => id),
      ...one.payments.map(({ id }) => id),
      ...one.refunds.map(({ id }) => id),
      ...one.movements.map(({ id }) => id),
      ...one.notifications.flatMap(({ id, eventId }) => [id, eventId]),
    ])
    expect(new Set(ids).size).toBe(ids.length)
  })
})

it('names products that the import takes', () => {
  for (let n = 0; n < 200; n++) expect(NewProduct.parse(productOf(n)).sku).toBe(skuOf(n))
})

it('writes values as COPY reads them', () => {
  expect([null, undefined, 5, true, new Date(0), { a: 'b' }].map(valueOf)).toEqual([
    String.raw`\N`,
    String.raw`\N`,
    '5',
    'true',
    '1970-01-01T00:00:00.000Z',
    '{"a":"b"}',
  ])
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const written = valueOf(text)
      expect(written).not.toMatch(/[\t\n\r]/)
      const unescaped: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }
      expect(written.replaceAll(/\\(.)/g, (_, letter: string) => unescaped[letter]!)).toBe(text)
    }),
  )
})

describe('the progress', () => {
  function shown(isTTY: boolean): string {
    let text = ''
    let time = 0
    const progress = createProgress({ isTTY, write: (more) => (text += more) }, () => (time += 1_000))
    const step = progress.step('Orders', 1_000)
    for (let done = 0; done <= 1_000; done += 50) step.to(done)
    step.end()
    return text
  }

  it('is a bar on a terminal', () => {
    expect(shown(true)).toMatch(/\r.*Orders .*█░.*500 of 1,000/)
    expect(shown(true).split('\n')).toHaveLength(2)
  })

  it('is a line for each tenth elsewhere', () => {
    const lines = shown(false).trim().split('\n')
    expect(lines).toHaveLength(10)
    expect(lines[0]).toMatch(/^Orders: 100 of 1,000, \d+ s$/)
    expect(lines.at(-1)).toMatch(/^Orders: 1,000 in \d+ s$/)
  })
})
