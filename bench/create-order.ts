import { randomUUID } from 'node:crypto'
import type { JSONWebKeySet, JWK } from 'jose'
import { uuidv7 } from 'uuidv7'
import { expecting, newOrder, readPrices } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import type { Role } from '../functions/shared/domain.ts'
import { createTokens } from '../functions/users/tokens.ts'
import type { System } from '../local/system.ts'
import { cpuSeconds, load, median, startFunction } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

const rounds = 4
const seconds = 4
/** So many that none has many orders, and few enough that the function remembers their tokens. */
const customers = 1_500

/**
 * Measures orders per second of one create-order process, each with its outbox row and idempotency key. Also
 * measures orders per CPU second, because the process shares its core with PostgreSQL and the client.
 */
export async function createOrder(system: System): Promise<Result[]> {
  const tokens = await tokensOf(system, newCustomers())
  let turn = 0
  const prices = await readPrices(
    shopClient(system.url),
    mug.map(({ sku }) => sku),
  )
  const body = JSON.stringify(expecting(newOrder(mug, 'card_declined'), prices))
  const instance = startFunction(system, 'create-order')
  await instance.ready
  const rates: number[] = []
  const perCore: number[] = []
  // only placing orders is measured, so the events stay in the outbox
  const relay = system.backend.processes().find(({ name }) => name === 'relay')!.pid!
  process.kill(relay, 'SIGSTOP')
  try {
    for (let round = 0; round <= rounds; round++) {
      const before = cpuSeconds(instance.pid!)
      const rate = await load(`http://127.0.0.1:${instance.port}/api/v1/orders`, seconds, {
        connections: 64,
        requests: [
          {
            method: 'POST',
            setupRequest: (request) => ({
              ...request,
              headers: {
                authorization: `Bearer ${tokens[turn++ % customers]}`,
                'content-type': 'application/json',
                'idempotency-key': randomUUID(),
              },
              body,
            }),
          },
        ],
      })
      if (round === 0) continue
      rates.push(rate)
      perCore.push((rate * seconds) / (cpuSeconds(instance.pid!) - before))
    }
  } finally {
    process.kill(relay, 'SIGCONT')
    await instance.stop()
  }
  return [
    {
      what: 'create-order, one process',
      ours: `${median(rates).toFixed(0)}/s`,
      against: `${median(perCore).toFixed(0)} in a CPU-second of the process`,
      ratio: '',
      goal: '≥ 2000/s on a core',
      met: median(perCore) >= 2_000,
    },
  ]
}

/** Returns new customers, for `tokensOf`. */
export const newCustomers = () =>
  Array.from({ length: customers }, () => ({ id: uuidv7(), role: 'customer' as const }))

/** Returns an access token of each of these users. They need no account. */
export async function tokensOf(
  { environment }: System,
  users: readonly { id: string; role: Role }[],
): Promise<string[]> {
  const { JWT_PRIVATE_KEY: key = '', JWT_PUBLIC_KEYS: keys = '' } = environment.ofFunction('log-in')
  const tokens = await createTokens(JSON.parse(key) as JWK, JSON.parse(keys) as JSONWebKeySet)
  return Promise.all(users.map((user) => tokens.sign({ ...user, session: uuidv7() })))
}
