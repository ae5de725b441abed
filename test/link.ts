import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'

export interface Link {
  /** The store's URL through the link. */
  url: string
  /** Ends every connection and refuses new ones until the link is restored. */
  cut(): void
  /** Ends all faults. @param url the store's new URL, if it has moved */
  restore(url?: string): void
  /** Delays everything by this time in ms, in both directions. */
  delay(ms: number): void
  /** Limits each connection to this many bytes per second. */
  throttle(bytesPerSecond: number): void
  /** Holds everything back until the link is restored, without closing connections. */
  stall(): void
  /** Sends everything that comes back from the other side twice. */
  repeat(): void
  close(): void
}

/**
 * Listens on a port below those that the system hands out. One of those might be another program's by the time that
 * a link which was cut is restored.
 * @returns the port
 */
async function listen(server: Server): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening')
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

/**
 * A link to a store that a test can cut, delay and throttle: a TCP proxy on 127.0.0.1.
 * @param url the store's URL
 */
export async function openLink(url: string): Promise<Link> {
  let { hostname, port } = new URL(url)
  let delayMs = 0
  let bytesPerSecond = Infinity
  let isRepeated = false
  let stalled = Promise.withResolvers<void>()
  stalled.resolve()
  const sockets = new Set<Socket>()

  /** Forwards bytes at the link's present speed. */
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
          // bytes of a connection that ended in order may still be on their way
          if (!from.readableEnded) to.destroy()
        })
      from
        .setNoDelay()
        .pipe(slow(from === far))
        .pipe(to)
    }
  })
  const own = await listen(server)
  // lets a process exit that does not close the link
  server.unref()
  const linked = new URL(url)
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
