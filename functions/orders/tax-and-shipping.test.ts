import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address, knowProducts, newOrder, place } from '../../test/orders.ts'
import { expectInvalid, expectOwnProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { orders, products } from './order.ts'
import type { ShippingMethodRow, TaxRate } from './tariff.ts'

let shop: TestShop
/** The same shop, with prices that do not include tax. */
let net: TestShop
beforeAll(async () => {
  shop = await openShop(['orders'])
  net = await openShop(['orders'], { PRICES: 'net' }, { beside: shop })
  await knowProducts(shop, ['MUG', 1250], ['BOOK', 1299], ['CAP', 900, 'USD'])
  const { db } = shop.deps('orders')
  await db.update(products).set({ taxClass: 'reduced', weightGrams: 600 }).where(eq(products.sku, 'BOOK'))
})
afterAll(async () => {
  await net.close()
  await shop.close()
})

const lines = [
  { sku: 'BOOK', quantity: 1 },
  { sku: 'MUG', quantity: 2 },
]
const to = (country: string, more = {}) => ({
  ...newOrder(lines),
  deliveryAddress: { ...address, country },
  ...more,
})

describe('an order', () => {
  it('shows net, tax, shipping and gross, per line and in all', async () => {
    const user = shop.newUser()
    const order = await place(shop, user, to('DE', { shippingMethod: 'parcel' }))
    expect(order).toMatchObject({
      lines: [
        { sku: 'BOOK', unitPrice: 1299, discount: 0, net: 1214, taxRate: 700, tax: 85, gross: 1299 },
        { sku: 'MUG', unitPrice: 1250, discount: 0, net: 2101, taxRate: 1900, tax: 399, gross: 2500 },
      ],
      amounts: {
        prices: 'gross',
        shipping: {
          method: 'parcel',
          name: 'Parcel with tracking',
          net: 412,
          taxRate: 1900,
          tax: 78,
          gross: 490,
        },
        net: 3727,
        tax: 562,
        gross: 4289,
      },
      total: { amount: 4289, currency: 'EUR' },
    })
    expect((await shop.get(`/orders/${order.id}`, { as: user })).body).toEqual(order)
    expect((await shop.get('/orders', { as: user })).body.items).toEqual([order])
  })

  it('tells invoices and returns all amounts by its event', async () => {
    const order = await place(shop, shop.newUser(), to('DE', { shippingMethod: 'parcel' }))
    const [placed] = await shop.emitted(order.id)
    expect(placed!.data).toEqual({
      orderId: order.id,
      customerId: order.customerId,
      lines: order.lines.map((line) => ({ ...line, name: undefined })),
      prices: 'gross',
      shipping: { net: 412, taxRate: 1900, tax: 78, gross: 490 },
      total: order.total,
    })
  })

  it('is taxed where it is delivered, and shipped free by default', async () => {
    const order = await place(shop, shop.newUser(), to('DK'))
    expect(order.lines.map(({ taxRate }) => taxRate)).toEqual([2500, 2500])
    expect(order.amounts!.shipping).toMatchObject({ method: 'standard', gross: 0 })
    expect(order.total.amount).toBe(1299 + 2500)
    expect((await place(shop, shop.newUser(), to('US'))).amounts).toMatchObject({ tax: 0, net: 1299 + 2500 })
  })

  it('costs the tax in addition where prices are without it', async () => {
    const body = to('DE', { shippingMethod: 'express', expectedTotal: { amount: 5900, currency: 'EUR' } })
    // 1299 + 7 %, 2500 + 19 %, 1290 + 19 %
    const order = await place(net, net.newUser(), body)
    expect(order.amounts).toMatchObject({ prices: 'net', net: 5089, tax: 811, gross: 5900 })
    expect(order.lines.map(({ gross }) => gross)).toEqual([1390, 2975])
    const { status, body: refused } = await net.post('/orders', {
      as: 'customer',
      body: to('DE', { expectedTotal: { amount: 3799, currency: 'EUR' } }),
    })
    expect([status, refused.total]).toEqual([409, { amount: 4365, currency: 'EUR' }])
  })

  it('takes the weight and the tax class from the events of products', async () => {
    const { db } = shop.deps('orders')
    const sku = randomUUID().toUpperCase()
    const product = {
      productId: uuidv7(),
      sku,
      name: 'Stone',
      price: { amount: 100, currency: 'EUR' },
      sellerId: uuidv7(),
    }
    const rowOf = async () => (await db.select().from(products).where(eq(products.sku, sku)))[0]
    // an event of an earlier version
    await shop.react('project-product', 'product.created', { ...product, version: 1 })
    expect(await rowOf()).toMatchObject({ weightGrams: 0, taxClass: 'standard' })
    const heavy = { ...product, weightGrams: 31_501, taxClass: 'zero' as const, version: 2 }
    await shop.react('project-product', 'product.updated', heavy)
    expect(await rowOf()).toMatchObject({ weightGrams: 31_501, taxClass: 'zero' })
    const body = { ...newOrder([{ sku, quantity: 1 }]), shippingMethod: 'parcel' }
    expectOwnProblem(
      await shop.post('/orders', { as: 'customer', body }),
      'shipping-not-available',
      [422, 'The order cannot be shipped so'],
      'Parcel with tracking does not take 31501 g.',
      [{ pointer: '/body/shippingMethod', detail: 'Parcel with tracking does not take 31501 g.' }],
    )
  })

  it('says which shipping method there is not', async () => {
    const detail =
      'There is no shipping method drone. GET /api/v1/shipping-methods lists those that there are.'
    expectOwnProblem(
      await shop.post('/orders', { as: 'customer', body: to('DE', { shippingMethod: 'drone' }) }),
      'unknown-shipping-method',
      [422, 'The shop has no such shipping method'],
      detail,
      [{ pointer: '/body/shippingMethod', detail }],
    )
  })

  it('of an earlier version is shown without the amounts that it does not have', async () => {
    const user = shop.newUser()
    const { id } = await place(shop, user)
    const { db } = shop.deps('orders')
    const old = [{ sku: 'MUG', name: 'MUG', quantity: 2, unitPrice: 1250 }]
    await db.update(orders).set({ lines: old, amounts: null }).where(eq(orders.id, id))
    const answer = await shop.get(`/orders/${id}`, { as: user })
    expect(answer).toMatchObject({
      status: 200,
      body: { lines: old, amounts: null, total: { amount: 2500, currency: 'EUR' } },
    })
    expect((await shop.get('/orders', { as: user })).status).toBe(200)
  })
})

describe('the tax rates', () => {
  const rates = async (query: string): Promise<TaxRate[]> =>
    (await shop.get(`/tax-rates?limit=100&${query}`)).body.items

  it('can be read by anyone, by country and class, from the earliest on', async () => {
    const found = await rates('country=DE&taxClass=standard')
    expect(found).toEqual([
      { country: 'DE', taxClass: 'standard', rate: 1900, validFrom: '2007-01-01' },
      { country: 'DE', taxClass: 'standard', rate: 1600, validFrom: '2020-07-01' },
      { country: 'DE', taxClass: 'standard', rate: 1900, validFrom: '2021-01-01' },
    ])
    const all = await rates('')
    const position = ({ country, taxClass, validFrom }: TaxRate) => `${country} ${taxClass} ${validFrom}`
    expect(all.map(position)).toEqual(all.map(position).toSorted())
    expect(all.length).toBeGreaterThan(20)
  })

  it('are added by an admin, and may be corrected until they are in force', async () => {
    const rate = { country: 'GR', taxClass: 'standard', rate: 2300, validFrom: '2999-01-01' }
    const answer = await shop.post('/tax-rates', { as: 'admin', body: rate })
    expect([answer.status, answer.body]).toEqual([201, rate])
    expect(answer.headers.get('location')).toBe('/api/v1/tax-rates?country=GR')
    const corrected = { ...rate, rate: 2400 }
    expect((await shop.post('/tax-rates', { as: 'admin', body: corrected })).status).toBe(201)
    expect(await rates('country=GR')).toEqual([corrected])
  })

  it('stay as they are once they are in force', async () => {
    const rate = { country: 'CY', taxClass: 'reduced', rate: 900, validFrom: '2020-01-01' }
    expect((await shop.post('/tax-rates', { as: 'admin', body: rate })).status).toBe(201)
    expectOwnProblem(
      await shop.post('/tax-rates', { as: 'admin', body: { ...rate, rate: 500 } }),
      'tax-rate-in-force',
      [409, 'There is a rate from this day on, and it is in force'],
      'CY has a reduced rate from 2020-01-01 on, which orders have been taxed with. Add the new one from a later day on.',
    )
    expect(await rates('country=CY')).toEqual([rate])
  })

  it.each([
    [{ rate: 10_001 }, '/body/rate', 'Too big: expected number to be <=10000'],
    [{ rate: 5.5 }, '/body/rate', 'Invalid input: expected int, received number'],
    [{ validFrom: '2026-02-30' }, '/body/validFrom', 'Invalid ISO date'],
    [{ country: 'EU' }, '/body/country', 'an ISO 3166-1 code such as DE'],
    [{ taxClass: 'zero' }, '/body/taxClass', 'Invalid option: expected one of "standard"|"reduced"'],
  ])('are refused with %j', async (wrong, pointer, detail) => {
    const rate = { country: 'DE', taxClass: 'standard', rate: 2000, validFrom: '2999-01-01' }
    expectInvalid(await shop.post('/tax-rates', { as: 'admin', body: { ...rate, ...wrong } }), {
      pointer,
      detail,
    })
  })
})

describe('the shipping methods', () => {
  it('can be read by anyone, by what their price depends on', async () => {
    const { items } = (await shop.get('/shipping-methods')).body as { items: ShippingMethodRow[] }
    expect(items.map(({ id }) => id)).toEqual(['express', 'parcel', 'standard'])
    expect(items.filter(({ isDefault }) => isDefault)).toEqual([
      {
        id: 'standard',
        name: 'Standard',
        basis: 'total',
        currency: null,
        steps: [{ upTo: null, amount: 0 }],
        isDefault: true,
      },
    ])
    expect((await shop.get('/shipping-methods?basis=weight')).body.items).toMatchObject([{ id: 'parcel' }])
  })
})

it('refuses prices that are neither gross nor net', async () => {
  await expect(openShop(['orders'], { PRICES: 'Gross' }, { beside: shop })).rejects.toThrow(
    'PRICES cannot be used: set it to whether prices include tax: gross or net',
  )
})
