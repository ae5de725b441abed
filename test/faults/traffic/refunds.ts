import { good } from '../../../demo/client/good.ts'
import type { Schemas } from '../../../demo/client/client.ts'
import type { Orders } from './orders.ts'
import { at, withKey, type Scene } from './scene.ts'

/** Refunds payments, as staff. */
export function createRefunds({ random, staff, insist, promised }: Scene, { anyOrder }: Orders) {
  /** Refunds a part of an order's payment, if it is captured. */
  async function refund({ id: orderId, who } = anyOrder()) {
    const query = { orderId }
    const { items } = await good(insist('a payment', () => who.GET('/payments', { params: { query } })))
    const [payment] = items
    if (payment?.status !== 'captured') return
    await insist('a payment', () => staff.GET('/payments/{id}', at(payment.id)))
    await giveBack(orderId, payment.id, { amount: 1 + random.below(300), reason: 'scratched' })
  }

  /** Refunds a part of a payment, if enough of it is left. */
  async function giveBack(orderId: string, paymentId: string, body: Schemas['NewRefund'], key?: string) {
    const params = { ...at(paymentId).params, ...withKey(key) }
    const { data } = await insist('a refund', () => staff.POST('/payments/{id}/refunds', { params, body }))
    if (data !== undefined) promised.refunds.set(data.id, { orderId })
  }

  return { refund, giveBack }
}
