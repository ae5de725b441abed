import { good } from '../../demo/client/good.ts'
import { cancelOrder, paymentOf, placeOrder, shipOrder } from '../../demo/client/orders.ts'
import { waitForEntries } from '../../demo/client/timeline.ts'
import type { Person } from '../../demo/client/shop.ts'
import type { TestClient } from '../client.ts'
import { sql } from './shop.ts'

const mug = [{ sku: 'MUG-BLUE', quantity: 1 }]

/** Lets the deadline of an order for a milestone be now. */
export const passDeadline = (id: string, milestone: 'confirmation' | 'shipment') =>
  sql(`update events.outbox set due = now()
    where subject = '${id}' and type like '%order.deadline-reached' and data ->> 'milestone' = '${milestone}'`)

async function confirmed(customer: Person, card = 'card_approved'): Promise<string> {
  const { id } = await placeOrder(customer, mug, card)
  await waitForEntries(customer, id, 'order.confirmed')
  return id
}

/** Places orders that end in each way in which they can while everything works. */
export async function endOrders(client: TestClient): Promise<void> {
  const [customer, staff] = await Promise.all([client.register(), client.staff()])
  const refunded = async () => {
    const id = await confirmed(customer)
    await shipOrder(staff, id)
    await waitForEntries(customer, id, 'stock.committed')
    const path = { id: (await paymentOf(customer, id))!.id }
    await good(
      staff.POST('/payments/{id}/refunds', { params: { path }, body: { amount: 290, reason: 'scratched' } }),
    )
    await waitForEntries(customer, id, 'payment.refunded')
  }
  const recalled = async () => {
    const id = await confirmed(customer, 'card_capture_fails')
    await shipOrder(staff, id)
    await waitForEntries(customer, id, 'order.cancelled')
  }
  const takenBack = async () => {
    const id = await confirmed(customer)
    await cancelOrder(customer, id)
    await waitForEntries(customer, id, 'payment.voided')
  }
  const notShipped = async () => {
    const id = await confirmed(customer)
    await passDeadline(id, 'shipment')
    await waitForEntries(customer, id, 'order.cancelled')
  }
  const refused = async (quantity: number, card: string) => {
    const { id } = await placeOrder(customer, [{ sku: 'MUG-BLUE', quantity }], card)
    await waitForEntries(customer, id, 'order.cancelled')
  }
  await Promise.all([
    refunded(),
    recalled(),
    takenBack(),
    notShipped(),
    refused(900, 'card_approved'),
    refused(1, 'card_declined'),
  ])
}

/** Places orders that end while nothing can be paid: one at its deadline, one because its customer leaves. */
export async function endUnpaidOrders(client: TestClient): Promise<void> {
  const currentPassword = 'to be deleted soon'
  const [customer, leaver] = await Promise.all([
    client.register(),
    client.register({ password: currentPassword }),
  ])
  const [late, left] = await Promise.all([placeOrder(customer, mug), placeOrder(leaver, mug)])
  await waitForEntries(customer, late.id, 'stock.reserved')
  await waitForEntries(leaver, left.id, 'stock.reserved')
  await passDeadline(late.id, 'confirmation')
  await good(
    leaver.DELETE('/users/{id}', { params: { path: { id: leaver.user.id } }, body: { currentPassword } }),
  )
  await waitForEntries(customer, late.id, 'order.cancelled')
}
