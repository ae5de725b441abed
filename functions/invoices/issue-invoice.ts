import { batchReaction } from '../../events/reaction.ts'
import { InvalidEvent, type EventData } from '../../events/event.ts'
import { forgetSecrets, readSecret } from '../../events/secrets.ts'
import { Bill } from '../shared/schemas/bill.ts'
import { chargedFor, invoiceOf } from './amounts.ts'
import { seriesOf } from './invoice.ts'
import { notYet } from './not-yet.ts'
import { issue, issuedFor, lockSeries, told, type Draft } from './store.ts'

/** The subject under which orders leave the bill of what is captured (functions/orders/bill.ts). */
const billOf = ({ orderId, parcelId = orderId }: EventData<'payment.captured'>) => parcelId

/** What is captured, which has one invoice: a parcel, or all of a payment. */
const sourceOf = ({ paymentId, parcelId = paymentId }: EventData<'payment.captured'>) => parcelId

export const issueInvoice = batchReaction('issue-invoice', {
  prepare: async ({ data }, { db, seller }) => ({ bill: await readSecret(db, billOf(data)), seller }),
  write: async (tx, events, found) => {
    const { invoice: series } = seriesOf
    const end = await lockSeries(tx, series)
    const issued = await issuedFor(
      tx,
      series,
      events.map(({ data }) => sourceOf(data)),
    )
    const drafts = events.flatMap(({ data, time }, i): Draft[] => {
      if (issued.has(sourceOf(data))) return []
      const { bill: secret, seller } = found[i]!
      if (secret === undefined)
        throw notYet(time, `nobody has left what the invoice of order ${data.orderId} states`)
      const bill = Bill.parse(JSON.parse(secret))
      const content = invoiceOf(bill, chargedFor(bill), seller)
      checkCaptured(data, content)
      const { orderId, paymentId } = data
      return [{ source: sourceOf(data), orderId, paymentId, customerId: bill.customerId, content }]
    })
    const traces = new Map(events.map(({ data, traceparent }) => [sourceOf(data), traceparent]))
    await Promise.all([
      issue(tx, end, drafts, (row) =>
        tx.emit('invoice.issued', row.orderId, told(row), {
          causedBy: { traceparent: traces.get(row.source) },
        }),
      ),
      forgetSecrets(
        tx,
        events.map(({ data }) => billOf(data)),
      ),
    ])
  },
})

/** @throws InvalidEvent if something else was captured than the invoice adds up to */
function checkCaptured(
  { orderId, amount: { amount, currency } }: EventData<'payment.captured'>,
  { gross, currency: stated }: { gross: number; currency: string },
): void {
  if (amount === gross && currency === stated) return
  throw new InvalidEvent(
    `${amount} ${currency} were captured for order ${orderId}, whose invoice is of ${gross} ${stated}`,
  )
}
