import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Setting } from '../functions/shared/config.ts'
import { demoPassword } from '../local/people.ts'
import { startNats } from '../local/stores/nats.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { startSystem } from '../local/system.ts'
import type { Order } from '../functions/orders/order.ts'
import { newOrder } from './orders.ts'
import { checkAnswer } from './openapi.ts'
import { read } from './shop.ts'

/** A whole shop on stores of its own, over real HTTP and JetStream, and what tests ask of it. */
export async function startTestSystem(settings: Partial<Record<Setting, string>> = {}, inProcess = true) {
  const { dataDir, remove } = temporaryDataDir()
  // of its own, so that a test can take its disk away
  const broker = temporaryDataDir()
  let nats = await startNats({ dataDir: broker.dataDir, durable: false })
  const lines: string[] = []
  const system = await startSystem({
    dataDir,
    inProcess,
    durable: false,
    settings,
    port: 0,
    window: 60,
    maxScale: undefined,
    env: { ...process.env, NATS_URL: nats.url },
    say: () => {},
    log: (name, line) => void lines.push(`${name} ${line}`),
  })
  const api = `${system.url.replace('localhost', '127.0.0.1')}/api/v1`

  async function call(token: string | undefined, method: string, path: string, body?: unknown) {
    const response = await fetch(api + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = await read(response)
    checkAnswer(method, path, answer)
    return answer
  }

  const logIn = async (email: string, password: string): Promise<string> =>
    (await call(undefined, 'POST', '/sessions', { email, password })).body.accessToken
  const customer = async () => {
    const email = `${randomUUID()}@example.com`
    await call(undefined, 'POST', '/users', { email, password: demoPassword, name: 'Ada' })
    return logIn(email, demoPassword)
  }

  return {
    system,
    api,
    call,
    logIn,
    customer,
    lines,
    dataDir,
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
      for (let tries = 0; tries < 600; tries++) {
        const { body } = await call(token, 'GET', `/orders/${id}/timeline`)
        const seen = body.items.map((entry: { type: string }) => entry.type) as string[]
        if (types.every((type) => seen.includes(type))) return seen
        await pause(50)
      }
      throw new Error(
        `never came to ${types.join(', ')}: ${JSON.stringify((await call(token, 'GET', `/orders/${id}/timeline`)).body)}`,
      )
    },
    /** Stops the broker as a crash would, and starts it again with an empty disk. */
    loseBroker: async () => {
      const { port } = new URL(nats.url)
      process.kill(nats.pid!, 'SIGKILL')
      await nats.died
      await broker.remove()
      nats = await startNats({ dataDir: broker.dataDir, durable: false, port: Number(port) })
    },
    stop: async () => {
      await system.stop()
      await nats.stop()
      await Promise.all([remove(), broker.remove()])
    },
  }
}

export type TestSystem = Awaited<ReturnType<typeof startTestSystem>>
