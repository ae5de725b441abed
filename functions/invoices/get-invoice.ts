import { acceptedType } from '../shared/http/accepted-type.ts'
import { operation } from '../shared/http/operation.ts'
import { etag } from '../shared/http/entity-tag.ts'
import { IdParam } from '../shared/schemas/schemas.ts'
import { Invoice, toInvoice } from './invoice.ts'
import { readInvoice } from './store.ts'

/** An invoice never changes, so each of its forms has one ETag. */
const common = { vary: 'Accept', 'cache-control': 'private, no-cache' }

export const getInvoice = operation(
  'get-invoice',
  {
    request: { params: IdParam },
    responses: { 200: Invoice },
    otherTypes: ['text/html', 'application/pdf'],
    problems: ['not-found'],
    headers: ['ETag'],
  },
  async ({ params, user, json, hono }, { db }) => {
    const row = await readInvoice(db, params.id, user)
    const type = acceptedType(hono, ['application/json', 'text/html', 'application/pdf'])
    if (type === 'application/json') return json(toInvoice(row), 200, { ...common, etag: etag(1) })
    if (type === 'text/html') {
      const { invoiceHtml } = await import('./invoice-html.ts')
      return hono.html(invoiceHtml(row), 200, {
        ...common,
        etag: '"1-html"',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      })
    }
    // only who wants a PDF waits for what makes it
    const { invoicePdf } = await import('./invoice-pdf.ts')
    const pdf = await invoicePdf(row)
    return hono.body(new Uint8Array(pdf), 200, {
      ...common,
      etag: '"1-pdf"',
      'content-type': 'application/pdf',
      'content-disposition': `inline; filename="${row.number}.pdf"`,
    })
  },
)
