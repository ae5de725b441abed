import { randomUUID } from 'node:crypto'
import { good } from '../../../demo/client/good.ts'
import type { Orders } from './orders.ts'
import { at, withKey, type Scene } from './scene.ts'

/** Sends pieces of orders back: customers ask, and staff decide and receive. */
export function createReturns({ random, staff, insist, promised }: Scene, { anyOrder }: Orders) {
  async function sendBack({ id: orderId, who } = anyOrder()) {
    const { lines } = await good(insist('an order', () => who.GET('/orders/{id}', at(orderId))))
    const { sku } = random.pick(lines)
    const body = { orderId, items: [{ sku, quantity: 1, reason: 'unwanted' as const }] }
    const key = randomUUID()
    const ask = () => insist('a return', () => who.POST('/returns', { params: withKey(key), body }))
    // an order that is not shipped yet, or all of whose pieces are in returns, is refused
    const { data } = await ask()
    if (data === undefined) return
    // some clients send the request again
    if (random.next() < 0.3) await ask()
    const { id } = data
    if (random.next() < 0.2) {
      const refusal = { ...at(id), body: { reason: 'other' as const } }
      await insist('a refusal', () => staff.POST('/returns/{id}/refusal', refusal))
      return
    }
    await insist('an approval', () => staff.POST('/returns/{id}/approval', at(id)))
    const items = [{ sku, quantity: 1, restock: random.next() < 0.7 }]
    const receive = () =>
      insist('a receipt', () => staff.POST('/returns/{id}/receipt', { ...at(id), body: { items } }))
    const received = await receive()
    if (random.next() < 0.3) await receive()
    if (received.data !== undefined) promised.received.add(id)
  }

  return { sendBack }
}
