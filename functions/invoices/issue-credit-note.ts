import { asc, eq } from 'drizzle-orm'
import { reaction } from '../../events/reaction.ts'
import type { Tx } from '../shared/store/postgres.ts'
import { notYet } from './not-yet.ts'
import { creditNoteOf } from './amounts.ts'
import { invoices, returns, seriesOf, type InvoiceRow } from './invoice.ts'
import { issue, lockSeries, told } from './store.ts'

/** Issues the credit note of a refund, once it is known what was invoiced and, for a return, what came back. */
export const issueCreditNote = reaction('issue-credit-note', async ({ id, data, time }, { once, seller }) => {
  const { orderId, paymentId, amount, returnId } = data
  // an event of an earlier version does not name the refund
  const source = data.refundId ?? id
  await once(async (tx) => {
    // credit notes of one payment are issued one after the other, so that each sees what is left
    const end = await lockSeries(tx, seriesOf['credit-note'])
    const issued = await issuedOf(tx, paymentId)
    const [first] = issued.invoices
    if (first === undefined) throw notYet(time, `payment ${paymentId} has no invoice`)
    if (issued.creditNotes.some((one) => one.source === source)) return
    const returned = returnId === undefined ? undefined : await findReturn(tx, returnId)
    if (returnId !== undefined && returned === undefined)
      throw notYet(time, `nobody has told what came back with return ${returnId}`)
    const content = creditNoteOf(issued, { amount: amount.amount, returned }, seller)
    const draft = { source, orderId, paymentId, customerId: first.customerId, content }
    await issue(tx, end, [draft], (row) => tx.emit('credit-note.issued', orderId, told(row)))
  })
})

/** Returns the invoices and credit notes of a payment, oldest first. */
async function issuedOf(tx: Tx, paymentId: string) {
  const rows = await tx
    .select()
    .from(invoices)
    .where(eq(invoices.paymentId, paymentId))
    .orderBy(asc(invoices.id))
  const ofSeries = (series: InvoiceRow['series']) => rows.filter((row) => row.series === series)
  return { invoices: ofSeries(seriesOf.invoice), creditNotes: ofSeries(seriesOf['credit-note']) }
}

async function findReturn(tx: Tx, id: string) {
  const [found] = await tx.select().from(returns).where(eq(returns.id, id))
  return found
}
