import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Schemas } from '../demo/client/client.ts'
import { expecting, newOrder, readPrices } from '../demo/client/orders.ts'

/**
 * Sends requests, `atOnce` at a time, until it is stopped.
 * @returns the number of responses by status, and of those that are refused or fail also by the reason
 */
export function steadyLoad(
  request: () => Promise<{ response: Pick<Response, 'status'>; error?: unknown }>,
  { atOnce = 4 } = {},
) {
  const outcomes = new Map<string, number>()
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const outcome = await request().then(
        ({ response: { status }, error }) => (status < 400 ? String(status) : `${status} ${reasonOf(error)}`),
        (error: unknown) => `no response: ${String(error)}`,
      )
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  }
  const loops = Array.from({ length: atOnce }, loop)
  return {
    count: () => [...outcomes.values()].reduce((sum, n) => sum + n, 0),
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      return Object.fromEntries(outcomes)
    },
  }
}

/** Returns the detail of a problem, or the body itself if it is none. */
const reasonOf = (body: unknown): string =>
  typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : JSON.stringify(body)

/** Keeps placing orders. Each order is sent with the same key until it is accepted. */
export function customersWhoRetry(customers: Client[], sku: string) {
  const accepted: { customer: Client; order: Schemas['Order'] }[] = []
  let failures = 0
  const stopping = new AbortController()
  const loop = async (customer: Client) => {
    const body = expecting(newOrder([{ sku, quantity: 1 }]), await readPrices(customer, [sku]))
    while (!stopping.signal.aborted) {
      const header = { 'Idempotency-Key': randomUUID() }
      for (let tries = 0; tries < 200; tries++) {
        const { data } = await customer
          .POST('/orders', { params: { header }, body })
          .catch(() => ({ data: undefined }))
        if (data !== undefined) {
          accepted.push({ customer, order: data })
          break
        }
        failures++
        await pause(200)
      }
    }
  }
  const loops = customers.map(loop)
  return {
    accepted,
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      return { accepted, failures }
    },
  }
}
