import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { newOrder, paymentOf } from '../../../demo/client/orders.ts'
import { withKey } from '../traffic/scene.ts'
import { everythingIsOver, must, until, type Context, type Fault } from '../fault.ts'

/** A request that needs the failed store is refused soon. All others succeed. */
export const stores: Fault = {
  name: 'stores',
  title:
    'PostgreSQL and MongoDB killed and restarted; each link of the shop cut, stalled, delayed and throttled, one at a time',
  async run(context) {
    const { shop, traffic, injected } = context
    const { ask, other, askAgain } = await probes(context)
    for (const name of ['postgres', 'mongodb', 'nats', 'provider'] as const) {
      const link = shop.links[name]
      const needing = ask[name]
      const others = [ask.postgres, ask.mongodb, other].filter((one) => one !== needing)
      const fault = async (what: string, begin: () => unknown, forMs: number, end: () => unknown) => {
        await everythingIsOver(context)
        // starts the functions
        for (const one of [needing, ...others]) await one?.()
        const busy = traffic.run({ atOnce: 1, pauseMs: 200 })
        await pause(1_000)
        await during(
          context,
          `${name} ${what}`,
          {
            needing,
            others,
            isGone: what !== 'slow',
            withinMs: what === 'silent' || what === 'slow' ? mostMs.silent : mostMs.refused,
          },
          async (refused) => {
            await begin()
            await Promise.all([pause(forMs), refused()])
            await end()
          },
        )
        injected()
        await busy.stop()
      }
      if (name === 'postgres' || name === 'mongodb')
        await fault(
          'killed',
          () => shop.kill(name),
          4_000,
          () => shop.revive(name),
        )
      await fault(
        'cut off',
        () => link.cut(),
        4_000,
        () => link.restore(),
      )
      await fault(
        'silent',
        () => link.stall(),
        11_000,
        () => link.restore(),
      )
      await fault(
        'slow',
        () => (link.delay(100), link.throttle(50_000)),
        4_000,
        () => link.restore(),
      )
    }
    await askAgain()
  },
}

type Ask = () => Promise<{ response: Response }>

/** For each link, a request that needs only that link, and one that needs none. None needs the broker. */
async function probes({ shop, traffic }: Context) {
  const { id } = await traffic.place(
    traffic.people[0],
    newOrder([{ sku: 'MUG-RED', quantity: 50 }], 'card_approved'),
  )
  await traffic.decided(id)
  await traffic.ship({ id })
  const payment = () => paymentOf(traffic.people[0]!, id)
  await until('the payment is captured', async () => (await payment())?.status === 'captured')
  const paymentId = (await payment())!.id
  const { unchecked } = shop
  const scratch = { amount: 1, reason: 'a scratch' }
  const keys: string[] = []
  const ask: Record<keyof typeof shop.links, Ask | undefined> = {
    postgres: () => unchecked.GET('/stock/{sku}', { params: { path: { sku: 'MUG-BLUE' } } }),
    mongodb: () => unchecked.GET('/products', { params: { query: { limit: 3 } } }),
    nats: undefined,
    provider: () => {
      const key = randomUUID()
      keys.push(key)
      const params = { path: { id: paymentId }, ...withKey(key) }
      return traffic.staff.POST('/payments/{id}/refunds', { params, body: scratch })
    },
  }
  // not a part of the API, so not through its client
  const other = async () => {
    const response = await fetch(`${shop.url}/.well-known/jwks.json`)
    await response.text()
    return { response }
  }
  // a refused refund may have been made all the same, so it is repeated with the same key
  const askAgain = async () => {
    for (const key of keys) await traffic.giveBack(id, paymentId, scratch, key)
  }
  return { ask, other, askAgain }
}

/**
 * How long a response may take on a busy machine, in ms: if the connection is refused, and if the store is
 * silent, when a request may take its full 10 s.
 */
const mostMs = { refused: 7_000, silent: 12_000 }

interface Asked {
  needing: Ask | undefined
  others: (Ask | undefined)[]
  /** Whether no request that needs the link can succeed. */
  isGone: boolean
  withinMs: number
}

async function during(
  { say }: Context,
  what: string,
  { needing, others, isGone, withinMs }: Asked,
  /** Ends the fault, but not before a request is refused: one that is in time would succeed after all. */
  fault: (refused: () => Promise<void>) => Promise<void>,
) {
  const over = new AbortController()
  let isRefused = false
  const load = async (ask: Ask | undefined) => {
    const answers: { status: number; retry: string | null; ms: number }[] = []
    if (ask === undefined) return answers
    while (!over.signal.aborted) {
      const began = performance.now()
      const { response } = await ask()
      const ms = performance.now() - began
      if (ask === needing && response.status >= 300) isRefused = true
      answers.push({ status: response.status, retry: response.headers.get('retry-after'), ms })
      await pause(20)
    }
    return answers
  }
  const asking = Promise.all([load(needing), ...others.map(load)])
  const refusal = async () => {
    if (needing !== undefined && isGone)
      await until(`${what}: a request is refused`, () => isRefused, 2 * mostMs.silent)
  }
  await fault(refusal).finally(() => over.abort())
  const [faulted, ...rest] = await asking
  const unharmed = rest.flat()
  const refused = faulted.filter(({ status }) => status >= 300)
  const slowest = Math.max(0, ...faulted.map(({ ms }) => ms))
  const well = unharmed.filter(({ status }) => status < 300).length / unharmed.length
  say(
    `${what}: ${refused.length} of ${faulted.length} that need it refused, the slowest response after ${slowest.toFixed(0)} ms; ` +
      `${(well * 100).toFixed(2)} % of ${unharmed.length} others succeeded`,
  )
  for (const { status, retry } of refused)
    must(status === 503 && retry !== null, `${what}: returned ${status}, Retry-After ${retry}`)
  must(slowest < withinMs, `${what}: a response took ${slowest.toFixed(0)} ms`)
  must(well >= 0.999, `${what}: only ${(well * 100).toFixed(2)} % of the others succeeded`)
}
