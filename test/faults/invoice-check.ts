import { faultsIn } from '../../functions/invoices/chain.ts'
import { seriesOf, type InvoiceRow } from '../../functions/invoices/invoice.ts'
import type { ReturnRow } from '../../functions/returns/return.ts'
import type { Books, Finding } from './checker.ts'

/** Invoices and returns, as the stores have them. */
export interface InvoiceBooks {
  invoices: InvoiceRow[]
  returns: Pick<ReturnRow, 'id' | 'orderId' | 'status' | 'items' | 'received' | 'refundAmount'>[]
  /** What came back and was made available again. */
  restocked: { sku: string; quantity: number }[]
}

/** The queries that read them. */
export const invoiceQueries = {
  invoices: `select id, series, year, seq, number, source, order_id as "orderId", payment_id as "paymentId",
      customer_id as "customerId", issued_at as "issuedAt", content, previous_hash as "previousHash", hash
    from invoices.invoices order by series, year, seq`,
  returns: `select id, order_id as "orderId", status, items, received, refund_amount as "refundAmount" from returns.returns`,
  restocked: `select sku, quantity from stock.movements where kind = 'returned'`,
} as const

/**
 * Checks that each captured payment has one invoice and each refund one credit note, that numbers have no gaps and the
 * hashes a chain, and that returns get back no more pieces and money than there were.
 */
export function invoices(books: Books): Finding {
  const violations = [...chains(books), ...captures(books), ...refunded(books), ...returned(books)]
  return {
    name: 'I12',
    what: 'each capture has one invoice and each refund one credit note, numbered without gaps and never changed; a return gets back what its pieces cost',
    figures: `${books.invoices.length} invoices and credit notes, ${books.returns.length} returns`,
    violations,
  }
}

const chains = ({ invoices }: Books) =>
  Object.values(seriesOf).flatMap((series) => faultsIn(invoices.filter((row) => row.series === series)))

function captures({ payments, captures, invoices }: Books): string[] {
  const issued = invoices.filter(({ series }) => series === seriesOf.invoice)
  return payments.flatMap(({ id, status, captured }) => {
    const own = issued.filter(({ paymentId }) => paymentId === id)
    // of all at once, or of each parcel
    const done = captures.filter((capture) => capture.payment_id === id && capture.status === 'done')
    if (own.length !== done.length)
      return [`payment ${id} is ${status}, in ${done.length} captures, and has ${own.length} invoices`]
    const gross = own.reduce((sum, { content }) => sum + content.gross, 0)
    return gross === captured ? [] : [`payment ${id} has ${captured} captured, and invoices of ${gross}`]
  })
}

function refunded({ refunds, invoices }: Books): string[] {
  const notes = invoices.filter(({ series }) => series === seriesOf['credit-note'])
  const done = refunds.filter(({ status }) => status === 'done')
  const stray = notes.filter(({ source }) => !done.some(({ id }) => id === source))
  return [
    ...stray.map(({ number }) => `${number} is for no refund`),
    ...done.flatMap(({ id, amount }) => {
      const own = notes.filter(({ source }) => source === id)
      if (own.length !== 1) return [`the refund ${id} has ${own.length} credit notes`]
      const { gross } = own[0]!.content
      return gross === amount ? [] : [`the refund ${id} is of ${amount}, and its credit note of ${gross}`]
    }),
  ]
}

function returned({ orders, returns, refunds }: Books): string[] {
  const violations: string[] = []
  for (const { id, lines } of orders) {
    const received = returns.filter(({ orderId }) => orderId === id).flatMap((one) => one.received ?? [])
    for (const sku of new Set(received.map((item) => item.sku))) {
      const [back, bought] = [received, lines].map((some: { sku: string; quantity: number }[]) =>
        some.reduce((sum, item) => (item.sku === sku ? sum + item.quantity : sum), 0),
      ) as [number, number]
      if (back > bought) violations.push(`${back} of ${sku} came back of order ${id}, which had ${bought}`)
      const cost = received.reduce((sum, item) => (item.sku === sku ? sum + item.gross : sum), 0)
      const paid = lines.reduce((sum, line) => (line.sku === sku ? sum + (line.gross ?? 0) : sum), 0)
      if (cost > paid || (back === bought && cost !== paid))
        violations.push(`${cost} was to be refunded for ${back} of ${sku} of order ${id}, which cost ${paid}`)
    }
  }
  for (const { id, status, refundAmount } of returns) {
    const own = refunds.filter((refund) => refund.return_id === id && refund.status === 'done')
    const given = own.reduce((sum, { amount }) => sum + amount, 0)
    if (own.length > 1) violations.push(`the return ${id} was refunded ${own.length} times`)
    if (given > (status === 'received' ? refundAmount! : 0))
      violations.push(
        `${given} was refunded for the return ${id}, which is ${status} and cost ${refundAmount}`,
      )
  }
  return violations
}
