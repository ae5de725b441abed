import { setTimeout as pause } from 'node:timers/promises'
import { must, type Context, type Fault } from '../fault.ts'
import type { StoreName } from '../shop.ts'

/** Who needs a store that fails is told so soon; everybody else notices nothing. */
export const stores: Fault = {
  name: 'stores',
  title: 'PostgreSQL and MongoDB killed and restarted; the link to each cut, delayed, throttled',
  async run(context) {
    const { shop, traffic, injected } = context
    const busy = traffic.run({ atOnce: 2 })
    await pause(2_000)
    for (const name of ['postgres', 'mongodb'] as const) {
      await during(context, name, 'killed', async () => {
        await shop.kill(name)
        await pause(5_000)
        await shop.revive(name)
      })
      await during(context, name, 'cut', async () => {
        shop.links[name].cut()
        await pause(4_000)
        shop.links[name].restore()
      })
      injected(2)
    }
    for (const name of ['postgres', 'mongodb', 'nats'] as const) {
      shop.links[name].delay(150)
      await pause(2_500)
      shop.links[name].restore()
      shop.links[name].throttle(20_000)
      await pause(2_500)
      shop.links[name].restore()
      injected(2)
    }
    await busy.stop()
  },
}

/** What is asked of each store, and needs no other. */
const probes = { postgres: '/stock/MUG-BLUE', mongodb: '/products?limit=3' } as const
const soonMs = 12_000

async function during(
  { shop, say }: Context,
  name: keyof typeof probes,
  what: string,
  fault: () => Promise<void>,
) {
  const other: StoreName = name === 'postgres' ? 'mongodb' : 'postgres'
  const over = new AbortController()
  const ask = async (path: string) => {
    const began = performance.now()
    const response = await fetch(shop.api + path)
    await response.text()
    return {
      status: response.status,
      retry: response.headers.get('retry-after'),
      ms: performance.now() - began,
    }
  }
  const load = async (path: string) => {
    const answers: Awaited<ReturnType<typeof ask>>[] = []
    while (!over.signal.aborted) {
      answers.push(await ask(path))
      await pause(10)
    }
    return answers
  }
  const asking = Promise.all([load(probes[name]), load(probes[other])])
  await fault().finally(() => over.abort())
  const [needing, others] = await asking
  const refused = needing.filter(({ status }) => status !== 200)
  const slowest = Math.max(...needing.map(({ ms }) => ms))
  const well = others.filter(({ status }) => status === 200).length / others.length
  say(
    `${name} ${what}: ${refused.length} of ${needing.length} refused, slowest after ${slowest.toFixed(0)} ms; ` +
      `of the others ${(well * 100).toFixed(2)} % of ${others.length} went well`,
  )
  must(refused.length > 0, `nobody noticed that ${name} was ${what}`)
  for (const { status, retry } of refused)
    must(status === 503 && retry !== null, `${name} ${what}: answered ${status}, Retry-After ${retry}`)
  must(slowest < soonMs, `${name} ${what}: an answer took ${slowest.toFixed(0)} ms`)
  must(well >= 0.999, `${name} ${what}: only ${(well * 100).toFixed(2)} % of the others went well`)
}
