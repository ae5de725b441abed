import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Transform } from 'node:stream'

export interface Link {
  /** The store's URL by way of the link. */
  url: string
  /** Ends every connection, and refuses new ones until it is restored. */
  cut(): void
  /** Where the store is from now on, if it has moved, and no more of any fault. */
  restore(url?: string): void
  /** Holds everything back for so many milliseconds, in both directions. */
  delay(ms: number): void
  /** Lets through so many bytes a second on each connection. */
  throttle(bytesPerSecond: number): void
  /** Holds everything back, without a word, until it is restored. */
  stall(): void
  /** Sends all that comes back from the other side twice. */
  repeat(): void
  close(): void
}

/**
 * A link to a store that a test can cut, delay and throttle: a TCP proxy on 127.0.0.1.
 * @param url of the store
 */
export async function openLink(url: string): Promise<Link> {
  let { hostname, port } = new URL(url)
  let delayMs = 0
  let bytesPerSecond = Infinity
  let isRepeated = false
  let stalled = Promise.withResolvers<void>()
  stalled.resolve()
  const sockets = new Set<Socket>()

  /** As slow as the link is when the bytes come. */
  const slow = (isAnswer: boolean) =>
    new Transform({
      transform(chunk: Buffer, _, done) {
        const pass = () => done(null, isAnswer && isRepeated ? Buffer.concat([chunk, chunk]) : chunk)
        const ms = delayMs + (chunk.length / bytesPerSecond) * 1000
        void stalled.promise.then(() => (ms > 0 ? setTimeout(pass, ms) : pass()))
      },
    })

  const cut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(from)
          // what has ended in order may still be on its way to the other side
          if (!from.readableEnded) to.destroy()
        })
      from
        .setNoDelay()
        .pipe(slow(from === far))
        .pipe(to)
    }
  }).listen(0, '127.0.0.1')
  // what forgets to close it can end all the same
  server.unref()
  await once(server, 'listening')
  const linked = new URL(url)
  // it listens on a port
  const { port: own } = server.address() as AddressInfo
  linked.host = `127.0.0.1:${own}`
  return {
    url: linked.href,
    cut,
    restore: (moved) => {
      if (moved !== undefined) ({ hostname, port } = new URL(moved))
      if (!server.listening) server.listen(own, '127.0.0.1')
      delayMs = 0
      bytesPerSecond = Infinity
      isRepeated = false
      stalled.resolve()
    },
    delay: (ms) => (delayMs = ms),
    throttle: (bytes) => (bytesPerSecond = bytes),
    stall: () => (stalled = Promise.withResolvers()),
    repeat: () => (isRepeated = true),
    close: cut,
  }
}
