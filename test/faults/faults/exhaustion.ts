import { connect, type Socket } from 'node:net'
import { good } from '../../../demo/client/good.ts'
import { newOrder } from '../../../demo/client/orders.ts'
import { readStock } from '../../../demo/client/stock.ts'
import { operations } from '../../../functions/table.ts'
import { at } from '../traffic/scene.ts'
import { memoryMib, must, tally, times, until, type Context, type Fault } from '../fault.ts'

const mostMemory = 300

/** How many streams of an order each customer asks for. */
const streamsEach = 100
/** How many streams a process lets one customer hold (watch-order's row). */
const streamsHeld = operations['watch-order'].streams

/** A client that demands too much is refused, and no other client is affected. */
export const exhaustion: Fault = {
  name: 'exhaustion',
  title:
    'Bodies over the limit, also without a length, JSON nested 10,000 deep, slow senders, limit=1e9, many open connections and streams',
  async run(context) {
    const { shop, traffic, injected, say } = context
    const customer = traffic.people[0]!
    const token = await customer.token()
    const api = `${shop.url}/api/v1`
    // not through the API client, because these requests are malformed
    const raw = (body: string | ReadableStream) =>
      fetch(`${api}/orders`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': 'too-much',
        },
        body,
        // a stream is sent in chunks
        duplex: 'half',
      }).then(async (response) => ({ status: response.status, text: await response.text() }))

    const large = await raw(`{"note":"${'x'.repeat(5_000_000)}"}`)
    must(large.status === 413, `5 MB returned ${large.status}`)
    const chunked = await raw(new Blob([`{"note":"${'x'.repeat(5_000_000)}"}`]).stream())
    must(chunked.status === 413, `5 MB in chunks returned ${chunked.status}`)
    const deep = await raw('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000))
    must([400, 422].includes(deep.status), `JSON nested 10,000 deep returned ${deep.status}: ${deep.text}`)
    const wide = await fetch(`${api}/products?limit=1e9`)
    must([400, 422].includes(wide.status), `limit=1e9 returned ${wide.status}`)
    await wide.text()

    const { host, port } = { host: '127.0.0.1', port: Number(new URL(shop.url).port) }
    const sockets: Socket[] = Array.from({ length: 300 }, (_, n) => {
      const socket = connect(port, host)
        .on('error', () => {})
        .resume()
      // a third sends nothing, a third does not finish the headers, a third does not finish the body
      if (n % 3 === 1) socket.write('POST /api/v1/orders HTTP/1.1\r\nHost: x\r\n')
      if (n % 3 === 2)
        socket.write(
          `POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: slow-${n}\r\nContent-Length: 1000\r\n\r\n{"li`,
        )
      return socket
    })
    const watching = new AbortController()
    const open = { parseAs: 'stream', signal: watching.signal } as const
    // each opens more streams than one customer may hold
    const opened = await Promise.all(
      traffic.people.map(async (person) => {
        const order = newOrder([{ sku: 'MUG-BLUE', quantity: 1 }], 'card_slow')
        const { id } = await traffic.place(person, order)
        const streams = await times(streamsEach, () =>
          person.GET('/orders/{id}/events', { ...at(id), ...open }),
        )
        return streams.map(({ response }) => response.status)
      }),
    )
    for (const statuses of opened) {
      const { 200: held = 0, 429: refused = 0, ...others } = tally(statuses)
      must(
        // by one process or by several
        held >= streamsHeld && held < streamsEach && refused > 0 && Object.keys(others).length === 0,
        `the streams of a customer returned ${JSON.stringify(tally(statuses))}`,
      )
    }
    injected(300 + opened.length * streamsEach + 4)

    const served = await others(context)
    watching.abort()
    const allClosed = () => sockets.every((socket) => socket.closed)
    await until('connections that send too slowly are closed', allClosed, 60_000)
    const memory = shop.processes().map(({ name, pid }) => ({ name, mib: memoryMib(pid, 'VmHWM') }))
    const largest = memory.reduce((a, b) => (a.mib > b.mib ? a : b))
    must(largest.mib < mostMemory, `${largest.name} had grown to ${largest.mib.toFixed(0)} MiB`)
    say(
      `${served.count} requests of others succeeded in the meantime, the slowest in ${served.slowest.toFixed(0)} ms; the largest process was ${largest.name} with ${largest.mib.toFixed(0)} MiB`,
    )
  },
}

const servedForMs = 6_000
const soonMs = 5_000

/** Sends requests of other people in the meantime. Each must succeed soon. */
async function others({ shop, traffic }: Context) {
  const someone = shop.as(await traffic.people[2]!.token())
  const requests = [
    () => good(someone.GET('/products', { params: { query: { limit: 3 } } })),
    () => readStock(someone, 'MUG-BLUE'),
    () => good(someone.GET('/orders')),
  ]
  // starts the functions, which is not measured
  for (const request of requests) await request()
  let count = 0
  let slowest = 0
  const until = performance.now() + servedForMs
  await times(2, async () => {
    while (performance.now() < until) {
      for (const request of requests) {
        const began = performance.now()
        await request()
        slowest = Math.max(slowest, performance.now() - began)
        count++
      }
    }
  })
  must(slowest < soonMs, `another client waited ${slowest.toFixed(0)} ms`)
  return { count, slowest }
}
