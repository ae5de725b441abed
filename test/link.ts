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
  const sockets = new Set<Socket>()

  /** As slow as the link is when the bytes come. */
  const slow = () =>
    new Transform({
      transform(chunk: Buffer, _, done) {
        const ms = delayMs + (chunk.length / bytesPerSecond) * 1000
        if (ms > 0) setTimeout(() => done(null, chunk), ms)
        else done(null, chunk)
      },
    })

  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => sockets.delete(from) && to.destroy())
      from.setNoDelay().pipe(slow()).pipe(to)
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
    cut: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
    restore: (moved) => {
      if (moved !== undefined) ({ hostname, port } = new URL(moved))
      if (!server.listening) server.listen(own, '127.0.0.1')
      delayMs = 0
      bytesPerSecond = Infinity
    },
    delay: (ms) => (delayMs = ms),
    throttle: (bytes) => (bytesPerSecond = bytes),
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
