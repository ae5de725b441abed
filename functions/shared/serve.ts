import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'

/** How long what is in flight may take after SIGTERM, in ms; then it is cut off. */
const graceMs = 8_000

/**
 * Listens, tells a parent process the port, and drains on SIGTERM or when the parent is gone: stops accepting,
 * finishes what is in flight, calls `close`, exits 0.
 */
export async function serveUntilTold(
  server: Server,
  {
    port,
    host,
    log,
    close,
  }: { port: number; host: string | undefined; log: Logger; close: () => Promise<void> },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: listening } = server.address() as AddressInfo
  process.send?.({ listening })
  log.debug({ port: listening }, 'listening')

  let draining = false
  const drain = (why: string) => {
    if (draining) return
    draining = true
    log.debug({ why }, 'draining')
    const giveUp = setTimeout(() => server.closeAllConnections(), graceMs)
    // a kept-alive connection must not bring another request
    server.on('request', (_, response) => response.setHeader('connection', 'close'))
    server.close(() => {
      clearTimeout(giveUp)
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'could not close')
          process.exit(1)
        },
      )
    })
    server.closeIdleConnections()
  }
  process.on('SIGTERM', () => drain('SIGTERM'))
  process.on('SIGINT', () => drain('SIGINT'))
  process.on('disconnect', () => drain('the parent is gone'))
}
