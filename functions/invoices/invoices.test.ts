import { asc, eq } from 'drizzle-orm'
import postgres from 'postgres'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tablesWith } from '../../test/contents.ts'
import { expectProblem } from '../../test/problems.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { errorCode } from '../shared/store/store-errors.ts'
import { faultsIn } from './chain.ts'
import { captured, newBill, totalOf } from './fixtures.ts'
import { invoices, type Invoice, type Series } from './invoice.ts'

let shop: TestShop
let admin: postgres.Sql
beforeAll(async () => {
  shop = await openShop(['invoices'], { SELLER_NAME: 'Mugs and more', SELLER_TAX_ID: 'DE123456789' })
  admin = postgres(shop.admin, { max: 1 })
})
afterAll(async () => {
  await admin.end()
  await shop.close()
})

/** Returns a series in the order in which it was issued. */
const seriesOf = (series: Series) =>
  shop
    .deps('invoices')
    .db.select()
    .from(invoices)
    .where(eq(invoices.series, series))
    .orderBy(asc(invoices.year), asc(invoices.seq))

const ofOrder = async (orderId: string): Promise<Invoice[]> =>
  (await shop.get(`/invoices?orderId=${orderId}`, { as: 'staff' })).body.items

/** Captures a payment, whose invoice is issued. */
async function issued(customer = shop.newUser(), more = {}) {
  const event = await captured(shop, newBill(customer.id, more))
  await shop.handle('issue-invoice', event)
  const [invoice] = await ofOrder(event.data.orderId)
  return { customer, event, invoice: invoice! }
}

/** Refunds an amount of a payment, or a return. */
const refund = (
  { orderId, paymentId }: { orderId: string; paymentId: string },
  amount: number,
  more: { returnId?: string } = {},
) =>
  shop.react('issue-credit-note', 'payment.refunded', {
    orderId,
    paymentId,
    amount: { amount, currency: 'EUR' },
    refundId: uuidv7(),
    ...more,
  })

describe('an invoice', () => {
  it('states who sold what to whom, with the tax of each rate, once for each capture', async () => {
    const { event, invoice, customer } = await issued()
    const { orderId, paymentId } = event.data
    const bill = newBill(customer.id)
    expect(invoice).toMatchObject({
      kind: 'invoice',
      number: expect.stringMatching(/^INV-\d{4}-\d{6}$/),
      orderId,
      paymentId,
      customerId: customer.id,
      seller: { name: 'Mugs and more', taxId: 'DE123456789' },
      buyer: bill.address,
      lines: bill.lines,
      shipping: bill.shipping,
      taxes: [{ taxRate: 1900, net: 2580, tax: 490, gross: 3070 }],
      total: { amount: 3070, currency: 'EUR' },
      corrects: [],
    })
    expect(await shop.emitted(orderId)).toMatchObject([
      {
        type: 'invoice.issued',
        data: { orderId, invoiceId: invoice.id, number: invoice.number, amount: invoice.total },
      },
    ])
    // delivered again, and told by another event
    await shop.handle('issue-invoice', event)
    await shop.handle('issue-invoice', { ...event, id: uuidv7() })
    expect(await ofOrder(orderId)).toHaveLength(1)
    // the address is only on the invoice now
    expect(await tablesWith(shop.admin, orderId)).not.toContain('events.secrets')
  })

  it('is read by its customer and by staff, and by nobody else', async () => {
    const { invoice, customer } = await issued()
    const path = `/invoices/${invoice.id}`
    const read = await shop.get(path, { as: customer })
    expect(read).toMatchObject({ status: 200, body: invoice })
    expect(read.headers.get('etag')).toBe('"1"')
    expect((await shop.get(path, { as: 'staff' })).body).toEqual(invoice)
    expectProblem(await shop.get(path, { as: 'customer' }), 'not-found', 'There is no invoice with this id.')
    const list = async (as: typeof customer | 'staff', query = '') =>
      (await shop.get(`/invoices?limit=100${query}`, { as })).body.items.map(({ id }: Invoice) => id)
    expect(await list(customer)).toEqual([invoice.id])
    expect(await list(shop.newUser(), `&customerId=${customer.id}`)).toEqual([])
    expect(await list('staff', `&customerId=${customer.id}`)).toEqual([invoice.id])
    expect(await list(customer, '&kind=credit-note')).toEqual([])
  })

  it('is shown to the account that has claimed the record of its customer', async () => {
    const { invoice, customer } = await issued()
    const account = shop.newUser()
    await shop.react('keep-invoice-claim', 'customer.claimed', {
      customerId: customer.id,
      userId: account.id,
    })
    expect((await shop.get(`/invoices/${invoice.id}`, { as: account })).body.number).toBe(invoice.number)
    expect((await shop.get('/invoices', { as: account })).body.items).toHaveLength(1)
  })

  it('is not issued if something else was captured, or if nobody has said what it states', async () => {
    const event = await captured(shop, newBill(uuidv7()))
    const more = { ...event, data: { ...event.data, amount: { amount: 1, currency: 'EUR' } } }
    await expect(shop.handle('issue-invoice', more)).rejects.toThrow('1 EUR were captured')
    const other = { ...event, data: { ...event.data, orderId: uuidv7() } }
    await expect(shop.handle('issue-invoice', other)).rejects.toThrow('nobody has left')
    const before = await seriesOf('INV')
    await shop.handle('issue-invoice', event)
    // both were rolled back, and have taken no number
    const after = await seriesOf('INV')
    expect(after.at(-1)!.seq).toBe(before.length + 1)
  })

  it('is of nothing if nothing was to be paid', async () => {
    const free = { net: 0, taxRate: 1900, tax: 0, gross: 0 }
    const lines = [{ ...newBill('').lines[0]!, discount: 2580, ...free }]
    const { invoice } = await issued(undefined, { lines, shipping: null })
    expect(invoice.total.amount).toBe(0)
  })

  it('is never written if its order could not be paid, and its address is forgotten', async () => {
    const { data } = await captured(shop, newBill(uuidv7()))
    await shop.react('drop-bill', 'payment.capture-failed', {
      orderId: data.orderId,
      paymentId: data.paymentId,
      reason: 'expired',
    })
    expect(await tablesWith(shop.admin, data.orderId)).not.toContain('events.secrets')
  })
})

describe('the numbers of invoices', () => {
  it('have no gaps and no doubles when 200 payments are captured at once', { timeout: 60_000 }, async () => {
    const events = await Promise.all(
      Array.from({ length: 200 }, async () => captured(shop, newBill(uuidv7()))),
    )
    const other = await openShop(['invoices'], {}, { beside: shop })
    // two processes, of which one issues one at a time; every tenth event is delivered to both
    const [few, many] = [events.slice(0, 60), events.slice(40)]
    const attempts = await Promise.all([
      ...few.map((event) => other.handle('issue-invoice', event)),
      shop.handleAll('issue-invoice', many),
    ])
    await other.close()
    expect(attempts.at(-1)).toEqual(many.map(() => undefined))
    const rows = await seriesOf('INV')
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1))
    expect(faultsIn(rows)).toEqual([])
    for (const { data } of events)
      expect(rows.filter(({ paymentId }) => paymentId === data.paymentId)).toHaveLength(1)
  })

  it('have no gap after a transaction that fails at its commit', async () => {
    const event = await captured(shop, newBill(uuidv7()))
    const before = (await seriesOf('INV')).length
    await admin.unsafe(`
      create function public.crash() returns trigger language plpgsql as $$ begin raise 'crashed'; end $$;
      create constraint trigger crash after insert or update on invoices.counters
        deferrable initially deferred for each row execute function public.crash()`)
    await expect(shop.handle('issue-invoice', event)).rejects.toThrow('crashed')
    await admin.unsafe('drop trigger crash on invoices.counters; drop function public.crash()')
    expect(await seriesOf('INV')).toHaveLength(before)
    await shop.handle('issue-invoice', event)
    const rows = await seriesOf('INV')
    expect(rows.at(-1)).toMatchObject({ seq: before + 1, paymentId: event.data.paymentId })
    expect(faultsIn(rows)).toEqual([])
  })
})

describe('an issued invoice', () => {
  it('can be neither changed nor deleted by the role of the functions', async () => {
    const { invoice } = await issued()
    const { client } = shop.deps('invoices').db
    for (const statement of [
      `update invoices.invoices set customer_id = '${uuidv7()}' where id = '${invoice.id}'`,
      `delete from invoices.invoices where id = '${invoice.id}'`,
      'truncate invoices.invoices',
    ])
      await expect(client.unsafe(statement).catch(errorCode)).resolves.toBe('42501')
    expect((await shop.get(`/invoices/${invoice.id}`, { as: 'staff' })).body).toEqual(invoice)
  })

  it('is known to be intact, or to be changed by somebody else', async () => {
    const { invoice, customer } = await issued()
    const { invoice: next } = await issued()
    const verify = (id: string) => shop.get(`/invoices/${id}/verification`, { as: 'staff' })
    expect((await verify(invoice.id)).body).toEqual({
      number: invoice.number,
      hash: invoice.hash,
      isIntact: true,
      faults: [],
    })
    expect((await shop.get(`/invoices/${invoice.id}/verification`, { as: customer })).status).toBe(403)
    await admin`update invoices.invoices set content = jsonb_set(content, '{gross}', '1') where id = ${invoice.id}`
    const faults = [`${invoice.number} was changed after it was issued`]
    expect((await verify(invoice.id)).body).toMatchObject({ isIntact: false, faults })
    const year = () => shop.get(`/invoice-verification?year=${new Date().getUTCFullYear()}`, { as: 'admin' })
    expect((await year()).body).toMatchObject({ isIntact: false, faults })
    // its neighbour still follows it
    expect((await verify(next.id)).body).toMatchObject({ isIntact: true })
    await admin`update invoices.invoices set content = jsonb_set(content, '{gross}', '3070') where id = ${invoice.id}`
    expect((await verify(invoice.id)).body.isIntact).toBe(true)
    expect((await year()).body).toMatchObject({ isIntact: true, checked: expect.any(Number) })
    expect((await shop.get('/invoice-verification?year=2026', { as: 'seller' })).status).toBe(403)
  })
})

describe('a credit note', () => {
  it('is issued for each refund, in a series of its own, until nothing is left', async () => {
    const { event, invoice, customer } = await issued()
    const { id } = await refund(event.data, 1000)
    await refund(event.data, 2070)
    const [second, first] = await ofOrder(event.data.orderId)
    expect([first, second]).toMatchObject([
      { kind: 'credit-note', number: expect.stringMatching(/^CN-/), corrects: [invoice.number], gross: 1000 },
      { kind: 'credit-note', gross: 2070, customerId: customer.id, buyer: invoice.buyer },
    ])
    expect(first!.tax + second!.tax).toBe(invoice.tax)
    const types = (await shop.emitted(event.data.orderId)).map(({ type }) => type)
    expect(types).toEqual(['invoice.issued', 'credit-note.issued', 'credit-note.issued'])
    // delivered again
    const { orderId, paymentId } = event.data
    const amount = { amount: 1000, currency: 'EUR' }
    await shop.react('issue-credit-note', 'payment.refunded', { orderId, paymentId, amount }, id)
    expect(await ofOrder(orderId)).toHaveLength(3)
    expect(faultsIn(await seriesOf('CN'))).toEqual([])
  })

  it('waits for the invoice that it corrects', async () => {
    const event = await captured(shop, newBill(uuidv7()))
    await expect(refund(event.data, 100)).rejects.toThrow('has no invoice yet')
    await shop.handle('issue-invoice', event)
    await refund(event.data, totalOf(newBill('')).amount)
    expect(await ofOrder(event.data.orderId)).toMatchObject([{ kind: 'credit-note' }, { kind: 'invoice' }])
  })
})
