import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '../functions/orders/order.ts'
import type { ShopClient } from './client.ts'
import { newOrder } from './orders.ts'

/**
 * Sends requests, `atOnce` at a time, until it is told to stop.
 * @param request answers its status
 * @returns how many got which status; 0 stands for a connection that broke
 */
export function steadyLoad(request: () => Promise<number>, { atOnce = 4 } = {}) {
  const statuses = new Map<number, number>()
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const status = await request().catch(() => 0)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  const loops = Array.from({ length: atOnce }, loop)
  return {
    count: () => [...statuses.values()].reduce((sum, n) => sum + n, 0),
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      return Object.fromEntries(statuses)
    },
  }
}

/** Customers who each place an order, as a good client does: with the same key again where there was no good answer. */
export function customersWhoRetry(shop: ShopClient, tokens: string[], sku: string) {
  const accepted: { token: string; order: Order }[] = []
  let failures = 0
  const stopping = new AbortController()
  const loop = async (token: string) => {
    while (!stopping.signal.aborted) {
      const key = randomUUID()
      for (let tries = 0; tries < 200; tries++) {
        const response = await shop
          .send(token, 'POST', '/orders', newOrder([{ sku, quantity: 1 }], 'card_approved'), key)
          .catch(() => undefined)
        if (response?.status === 201) {
          accepted.push({ token, order: (await response.json()) as Order })
          break
        }
        await response?.body?.cancel()
        failures++
        await pause(200)
      }
    }
  }
  const loops = tokens.map(loop)
  return {
    accepted,
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      return { accepted, failures }
    },
  }
}

/** Receives so much of a product that no test runs out of it. */
export async function stockUp(shop: ShopClient, sku: string, quantity: number): Promise<void> {
  const { status, text } = await shop.call(await shop.staff(), 'POST', `/stock/${sku}/adjustments`, {
    quantity,
    reason: 'received',
  })
  if (status !== 201) throw new Error(`${status}: ${text}`)
}
