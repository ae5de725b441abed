import type { Server } from 'node:http'
import { Server as TcpServer, type AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { UserError } from './user-error.ts'
import type { Service } from './service.ts'

/**
 * Of every HTTP server, in ms. Slow senders are cut off: so long may a request take to arrive, its head and the whole of
 * it. Gateways keep idle connections for less long, so that they, not we, end them.
 */
export const serverOptions = {
  headersTimeout: 20_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 75_000,
}

/** How long what is in flight may take after SIGTERM, in ms; then it is cut off. */
const graceMs = 8_000
/**
 * How long a connection that a gateway keeps may bring one more request, in ms. Gateways end idle ones sooner
 * (compose/Caddyfile), so that none is ended by us while a request is on its way.
 */
const lingerMs = 1_500
/** How long closing the stores may take after that, in ms: a process that cannot even log must end, too. */
const closeMs = 1_500

/**
 * Listens once its stores are checked, tells a parent process the port, and drains on SIGTERM or when the parent is
 * gone: stops accepting, finishes what is in flight, calls `close`, exits 0.
 */
export async function serveUntilTold(
  server: Server,
  {
    port,
    host,
    log,
    checked,
    close,
  }: { port: number; host: string | undefined; log: Logger } & Pick<Service, 'checked' | 'close'>,
): Promise<void> {
  await checked
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, port)))
    server.listen(port, host, resolve)
  })
  const { port: listening } = server.address() as AddressInfo
  process.send?.({ listening })
  // since the process began, in ms
  log.info({ port: listening, startMs: Math.round(performance.now()) }, 'listening')

  let draining = false
  const drain = (why: string) => {
    if (draining) return
    draining = true
    log.debug({ why }, 'draining')
    const giveUp = setTimeout(() => server.closeAllConnections(), graceMs)
    setTimeout(() => process.exit(1), graceMs + closeMs)
    server.prependListener('request', (_, response) => response.setHeader('connection', 'close'))
    let sweep: NodeJS.Timeout | undefined
    const linger = setTimeout(() => {
      sweep = setInterval(() => server.closeIdleConnections(), 20)
    }, lingerMs)
    // not http's own: that ends idle connections at once
    TcpServer.prototype.close.call(server, () => {
      clearTimeout(giveUp)
      clearTimeout(linger)
      clearInterval(sweep)
      close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'could not close')
          process.exit(1)
        },
      )
    })
  }
  process.on('SIGTERM', () => drain('SIGTERM'))
  process.on('SIGINT', () => drain('SIGINT'))
  process.on('disconnect', () => drain('the parent is gone'))
}

function explain(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') return new UserError(`PORT=${port} is in use. Set it to a free one.`)
  if (error.code === 'EACCES')
    return new UserError(`PORT=${port} needs more rights. Set it to one above 1023.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UserError('HOST is not an address of this machine. Set it to one, or leave it out.')
  return error
}
