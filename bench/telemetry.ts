import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { placeOrder } from '../demo/client/orders.ts'
import { shopClient } from '../demo/client/shop.ts'
import type { System } from '../local/system.ts'
import { nodeFlags } from '../local/processes.ts'
import { call, cpuSeconds, load, median, memoryOf, start } from './harness.ts'
import { mug } from './shop.ts'
import type { Result } from './result.ts'

const starts = 40
const rounds = 16
const seconds = 2
/** The number of requests, one at a time, during whose second half the memory is measured. */
const calm = 1_000

/**
 * Measures what telemetry costs get-order: its start, its requests and its memory, with and without it in turn. A receiver
 * in this process answers everything with 200.
 */
export async function telemetry(system: System): Promise<Result[]> {
  const receiver = createServer((request, response) =>
    request.resume().once('end', () => response.writeHead(200).end('{}')),
  ).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  const settings = { off: {}, on: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } }
  const open = (state: State) =>
    start(
      'get-order',
      join(system.dist, 'functions/main.js'),
      {
        ...system.environment.ofFunction('get-order'),
        ...settings[state],
        NODE_COMPILE_CACHE: join(system.dist, 'cache'),
      },
      nodeFlags,
    )
  try {
    return [await measureStarts(open), ...(await measureRequests(system, open))]
  } finally {
    receiver.closeAllConnections()
    receiver.close()
  }
}

type State = 'on' | 'off'
type Open = (state: State) => ReturnType<typeof start>
const none = (): Record<State, number[]> => ({ on: [], off: [] })

/** Alternates, and begins with another state in each round, so that what drifts concerns both. */
const order = (round: number): State[] => (round % 2 === 0 ? ['on', 'off'] : ['off', 'on'])

async function measureStarts(open: Open): Promise<Result> {
  const ms = none()
  for (let round = -2; round < starts; round++)
    for (const state of order(round)) {
      const instance = open(state)
      await instance.ready
      await instance.stop()
      // the first rounds fill the compile cache
      if (round >= 0) ms[state].push(instance.startMs!)
    }
  return row('start with telemetry', ms, ' ms', 1.03)
}

async function measureRequests(system: System, open: Open): Promise<Result[]> {
  const customer = await shopClient(system.url).register()
  const { id } = await placeOrder(customer, mug)
  const headers = { authorization: `Bearer ${await customer.token()}` }
  const instances = { on: open('on'), off: open('off') }
  await Promise.all([instances.on.ready, instances.off.ready])
  const urlOf = (state: State) => `http://127.0.0.1:${instances[state].port}/api/v1/orders/${id}`
  const rates = none()
  const perCpu = none()
  const memory = none()
  try {
    for (let n = 0; n < calm; n++)
      for (const state of order(n)) {
        await call(urlOf(state), 'GET', headers)
        if (n >= calm / 2) memory[state].push(memoryOf([instances[state].pid!]).rss)
      }
    for (let round = -2; round < rounds; round++)
      for (const state of order(round)) {
        const before = cpuSeconds(instances[state].pid!)
        const rate = await load(urlOf(state), seconds, { headers })
        if (round < 0) continue
        rates[state].push(rate)
        perCpu[state].push((rate * seconds) / (cpuSeconds(instances[state].pid!) - before))
      }
  } finally {
    await Promise.all([instances.on.stop(), instances.off.stop()])
  }
  const more = median(memory.on) - median(memory.off)
  return [
    row('requests/s with telemetry', rates, '/s', 0.97),
    { ...row('requests a CPU-second with telemetry', perCpu, '', 0.97), goal: '', met: true },
    {
      what: 'memory with telemetry',
      ours: `${median(memory.on).toFixed(1)} MiB`,
      against: `${median(memory.off).toFixed(1)} MiB without`,
      ratio: `+ ${more.toFixed(1)} MiB`,
      goal: '≤ + 3 MiB',
      met: more <= 3,
    },
  ]
}

/** @param goal the ratio to be reached: at most, if above 1, otherwise at least */
function row(what: string, { on, off }: Record<State, number[]>, unit: string, goal: number): Result {
  // of each pair, because the speed of the machine drifts
  const ratio = median(on.map((value, i) => value / off[i]!))
  return {
    what,
    ours: `${median(on).toFixed(0)}${unit}`,
    against: `${median(off).toFixed(0)}${unit} without`,
    ratio: `${ratio.toFixed(3)} ×`,
    goal: `${goal > 1 ? '≤' : '≥'} ${goal} ×`,
    met: goal > 1 ? ratio <= goal : ratio >= goal,
  }
}
