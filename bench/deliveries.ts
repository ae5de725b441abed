import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { uuidv7 } from 'uuidv7'
import { encode, type Emitted } from '../events/encode.ts'
import { connectBroker } from '../events/jetstream.ts'
import { listeners } from '../events/listeners.table.ts'
import { startNats } from '../local/stores/nats.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import type { System } from '../local/system.ts'
import { cpuSeconds, start } from './harness.ts'
import type { Result } from './result.ts'

const events = 20_000
/** Each event is delivered to all of its reactions. */
const expected = events * listeners['order.placed']!.length
/** The number of events that are published at a time. */
const window = 500

/**
 * Measures how many events a dispatcher delivers in a second of its CPU time, from a broker of its own. A server that
 * only reads each delivery and counts its events stands in for the reactions, so that the dispatcher is what limits it.
 */
export async function deliveries(system: System): Promise<Result[]> {
  const folder = temporaryDataDir()
  const nats = await startNats({ dataDir: folder.dataDir, durable: false })
  const broker = await connectBroker(nats.url)
  const got = new Map<string, number>()
  let requests = 0
  let allDelivered!: () => void
  const done = new Promise<void>((resolve) => (allDelivered = resolve))
  const count = async (request: IncomingMessage) => {
    // the dispatcher wakes reactions with GET
    if (request.method !== 'POST') return
    requests++
    for (const { id } of [JSON.parse(await text(request))].flat() as { id: string }[]) {
      const delivery = `${id} ${request.url}`
      got.set(delivery, (got.get(delivery) ?? 0) + 1)
    }
    if (got.size === expected) allDelivered()
  }
  const sink = createServer((request, response) => {
    void count(request).then(() => response.writeHead(204).end())
  })
  sink.listen(0, '127.0.0.1')
  await once(sink, 'listening')
  await broker.ensureStream()
  for (let n = 0; n < events; n += window)
    await Promise.all(
      Array.from({ length: window }, () => {
        const event = placed()
        return broker.publish(encode(event), event.id)
      }),
    )
  const dispatcher = start('dispatcher', join(system.dist, 'functions/main.js'), {
    ...system.environment.ofService('dispatcher'),
    NATS_URL: nats.url,
    FUNCTION_URL: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/{function}`,
  })
  try {
    await dispatcher.ready
    const before = cpuSeconds(dispatcher.pid!)
    const began = performance.now()
    await done
    const seconds = (performance.now() - began) / 1000
    const perCpuSecond = expected / (cpuSeconds(dispatcher.pid!) - before)
    const again = [...got.values()].reduce((sum, times) => sum + times - 1, 0)
    return [
      {
        what: 'deliveries of the dispatcher in a CPU-second',
        ours: perCpuSecond.toFixed(0),
        against: `${(expected / seconds).toFixed(0)}/s, ${(expected / requests).toFixed(1)} in a request, ${again} twice`,
        ratio: '',
        goal: '≥ 3000, none lost',
        met: perCpuSecond >= 3_000,
      },
    ]
  } finally {
    await dispatcher.stop()
    await broker.close()
    sink.close()
    sink.closeAllConnections()
    await nats.stop()
    await folder.remove()
  }
}

/** An event that several reactions handle. */
function placed(): Emitted {
  const orderId = uuidv7()
  return {
    id: uuidv7(),
    type: 'order.placed',
    source: '/orders',
    subject: orderId,
    time: new Date(),
    traceparent: null,
    actor: 'system',
    data: JSON.stringify({
      orderId,
      customerId: uuidv7(),
      lines: [{ sku: 'MUG-BLUE', quantity: 1 }],
      total: { amount: 1290, currency: 'EUR' },
    }),
  }
}
