import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Order } from '../functions/orders/order.ts'
import { newOrder } from './orders.ts'
import { checkAnswer } from './openapi.ts'
import { read } from './shop.ts'

/** How long an order may take to come to where a test waits for it, in ms. */
const patienceMs = 60_000

/**
 * What tests ask of a shop over HTTP, wherever it runs; every answer is checked against the OpenAPI document.
 * @param url of the shop, without a path
 * @param demoPassword of the people that are there from the start
 */
export function shopClient(url: string, demoPassword: string) {
  const api = `${url}/api/v1`

  async function call(token: string | undefined, method: string, path: string, body?: unknown) {
    const response = await send(token, method, path, body)
    const answer = await read(response)
    checkAnswer(method, path, answer)
    return answer
  }

  /** A request; the same `key` makes it the same request again. */
  const send = (
    token: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    key: string = randomUUID(),
    headers: Record<string, string> = {},
  ) =>
    fetch(api + path, {
      method,
      headers: {
        ...headers,
        'content-type': 'application/json',
        ...(method === 'POST' ? { 'idempotency-key': key } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  const logIn = async (email: string, password: string): Promise<string> =>
    (await call(undefined, 'POST', '/sessions', { email, password })).body.accessToken

  return {
    url,
    api,
    call,
    send,
    logIn,
    /** A new customer's access token. */
    customer: async () => {
      const email = `${randomUUID()}@example.com`
      const password = randomUUID()
      await call(undefined, 'POST', '/users', { email, password, name: 'Ada' })
      return logIn(email, password)
    },
    staff: () => logIn('staff@example.com', demoPassword),
    place: async (
      token: string,
      lines: { sku: string; quantity: number }[],
      card: string,
    ): Promise<Order> => {
      const answer = await call(token, 'POST', '/orders', newOrder(lines, card))
      if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`)
      return answer.body
    },
    /** Waits until an order's timeline has an entry of every type; answers the types, in order. */
    until: async (token: string, id: string, ...types: string[]): Promise<string[]> => {
      const began = performance.now()
      let last = ''
      while (performance.now() - began < patienceMs) {
        const { body, text } = await call(token, 'GET', `/orders/${id}/timeline`)
        last = text
        const seen = (body.items as { type: string }[] | undefined)?.map((entry) => entry.type) ?? []
        if (types.every((type) => seen.includes(type))) return seen
        await pause(50)
      }
      throw new Error(`never came to ${types.join(', ')}: ${last}`)
    },
  }
}

export type ShopClient = ReturnType<typeof shopClient>
