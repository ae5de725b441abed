import { extractText, getDocumentProxy, getMeta } from 'unpdf'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import type { User } from '../shared/auth/access-token.ts'
import { captured, newBill } from './fixtures.ts'
import type { Invoice } from './invoice.ts'

let shop: TestShop
beforeAll(async () => {
  shop = await openShop(['invoices'])
})
afterAll(() => shop.close())

/** Issues an invoice to a customer. */
async function issued(more = {}) {
  const customer = shop.newUser()
  const event = await captured(shop, newBill(customer.id, more))
  await shop.handle('issue-invoice', event)
  const { body } = await shop.get('/invoices', { as: customer })
  return { customer, invoice: body.items[0] as Invoice }
}

/** Reads an invoice in one of its forms. */
const read = async (as: User, { id }: Invoice, accept: string, more: Record<string, string> = {}) =>
  shop.app.request(`/api/v1/invoices/${id}`, {
    headers: { authorization: `Bearer ${await shop.sign(as)}`, accept, ...more },
  })

describe('an invoice as HTML', () => {
  it('shows what it states, in whatever characters, and runs no scripts', async () => {
    const address = { ...newBill('').address!, name: '<script>alert(1)</script> & Łukasz Ω' }
    const { customer, invoice } = await issued({ address })
    const answer = await read(customer, invoice, 'text/html,*/*;q=0.8')
    const page = await answer.text()
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('vary')).toBe('Accept')
    expect(page).toContain(`<title>Invoice ${invoice.number}</title>`)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; Łukasz Ω')
    expect(page).not.toContain('<script')
    for (const text of ['30.70 EUR', '19 % tax on 25.80 EUR', '4.90 EUR', 'Enamel mug (MUG)'])
      expect(page).toContain(text)
  })
})

describe('an invoice as PDF', () => {
  const textOf = async (bytes: ArrayBuffer) => {
    const document = await getDocumentProxy(new Uint8Array(bytes))
    const { text, totalPages } = await extractText(document, { mergePages: true })
    const { info } = await getMeta(document)
    const [, , width, height] = (await document.getPage(1)).view
    return { text, totalPages, title: info['Title'], language: info['Language'], size: [width, height] }
  }

  it('has A4 pages, and text that can be selected', async () => {
    const address = { ...newBill('').address!, name: 'Łukasz Ωμέγα Žižek' }
    const { customer, invoice } = await issued({ address })
    const answer = await read(customer, invoice, 'application/pdf')
    expect(answer.headers.get('content-type')).toBe('application/pdf')
    expect(answer.headers.get('content-disposition')).toBe(`inline; filename="${invoice.number}.pdf"`)
    const bytes = await answer.arrayBuffer()
    expect(Buffer.from(bytes).subarray(0, 5).toString()).toBe('%PDF-')
    const { text, ...rest } = await textOf(bytes.slice(0))
    expect(rest).toMatchObject({ totalPages: 1, title: `Invoice ${invoice.number}`, language: 'en' })
    expect(rest.size.map((length) => Math.round(length!))).toEqual([595, 842])
    for (const words of [
      'Łukasz Ωμέγα Žižek',
      'Enamel mug (MUG)',
      invoice.number,
      '19 % tax on 25.80 EUR',
      '30.70 EUR',
      'page 1 of 1',
    ])
      expect(text).toContain(words)
    // the same bytes again
    expect(Buffer.from(await (await read(customer, invoice, 'application/pdf')).arrayBuffer())).toEqual(
      Buffer.from(bytes),
    )
  })

  it('goes on on further pages, with all of its lines', async () => {
    const [line] = newBill('').lines
    const lines = Array.from({ length: 100 }, (_, i) => ({
      ...line!,
      sku: `SKU-${i}`,
      name: i % 7 === 0 ? `A product with a name that needs several lines ${i}` : `Product ${i}`,
    }))
    const { customer, invoice } = await issued({ lines })
    const answer = await read(customer, invoice, 'application/pdf')
    const { text, totalPages } = await textOf(await answer.arrayBuffer())
    expect(totalPages).toBeGreaterThan(2)
    expect(text).toContain(`page ${totalPages} of ${totalPages}`)
    for (const { sku } of lines) expect(text.replaceAll(/\s/g, '')).toContain(`(${sku})`)
  })

  it('is not sent again to who has it, and is another thing than the JSON', async () => {
    const { customer, invoice } = await issued()
    const again = (accept: string) => read(customer, invoice, accept, { 'if-none-match': '"1-pdf"' })
    expect((await again('application/pdf')).status).toBe(304)
    expect((await again('application/json')).status).toBe(200)
  })

  it('is for nobody else', async () => {
    const { invoice } = await issued()
    const answer = await read({ ...shop.users.customer, id: uuidv7() }, invoice, 'application/pdf')
    expect(answer.status).toBe(404)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })
})
