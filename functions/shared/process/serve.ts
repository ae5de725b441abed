import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { Server as TcpServer, type AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { answerClientErrors } from '../http/client-errors.ts'
import { closeTelemetry, observed, telemetry, type Serves } from '../telemetry/telemetry.ts'
import { UserError } from './user-error.ts'
import type { Service } from './service.ts'

/**
 * The options of every HTTP server; times in ms. A client that sends the head of a request, or all of it, too
 * slowly is disconnected. Gateways close idle connections earlier than we do, so that they, and not we, close
 * them.
 */
export const serverOptions = {
  headersTimeout: 20_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 75_000,
  // the handlers refuse a request without one, with a problem; Node's own 400 has no body
  requireHostHeader: false,
}

/** Returns the HTTP server of a function. Its requests are measured if telemetry is on. */
export const observedServer = (listener: RequestListener, serves?: Serves): Server =>
  createServer({ ...serverOptions, ...telemetry()?.serverOptions }, observed(listener, serves))

/** How long requests in flight may take after SIGTERM, in ms. After that, their connections are closed. */
const graceMs = 8_000
/**
 * How long idle connections stay open after SIGTERM, in ms. Gateways close them earlier (compose/Caddyfile),
 * so that we never close one while a request is on its way.
 */
const lingerMs = 1_500
/** How long closing the stores may take after that, in ms. It ensures that even a stuck process ends. */
const closeMs = 1_500

/**
 * Waits for `checked`, then listens, and sends the port to the parent process if there is one. On SIGTERM, on
 * SIGINT or if the parent ends, it drains: it accepts no more connections, finishes the requests in flight,
 * calls `close`, sends the last telemetry, and exits with 0.
 * @throws UserError if a store cannot be used, or the port or the address cannot be listened on
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
  answerClientErrors(server)
  await checked
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, port)))
    server.listen(port, host, resolve)
  })
  const { port: listening } = server.address() as AddressInfo
  telemetry()?.listening()
  process.send?.({ listening })
  // startMs: since the process started, in ms
  log.info({ port: listening, startMs: Math.round(performance.now()) }, 'listening')

  let draining = false
  const open = new Set<ServerResponse>()
  // no connection is used again, because it would be closed as soon as it is idle, perhaps with a request on its way
  const useOnce = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('connection', 'close')
    // a stream whose client has been told otherwise
    else response.once('finish', () => response.req.socket.destroySoon())
  }
  server.prependListener('request', (_, response) => {
    if (draining) useOnce(response)
    open.add(response)
    response.once('close', () => open.delete(response))
  })
  const drain = (why: string) => {
    if (draining) return
    draining = true
    for (const response of open) useOnce(response)
    log.debug({ why }, 'draining')
    const giveUp = setTimeout(() => server.closeAllConnections(), graceMs)
    setTimeout(() => process.exit(1), graceMs + closeMs)
    let sweep: NodeJS.Timeout | undefined
    const linger = setTimeout(() => {
      // a request that has arrived is read first
      sweep = setInterval(() => setImmediate(() => server.closeIdleConnections()), 20)
    }, lingerMs)
    // not http's own `close`, which closes idle connections immediately
    TcpServer.prototype.close.call(server, () => {
      clearTimeout(giveUp)
      clearTimeout(linger)
      clearInterval(sweep)
      close()
        .then(closeTelemetry)
        .then(
          () => process.exit(0),
          (error: unknown) => {
            log.error({ err: error }, 'closing failed')
            process.exit(1)
          },
        )
    })
  }
  process.on('SIGTERM', () => drain('SIGTERM'))
  process.on('SIGINT', () => drain('SIGINT'))
  process.on('disconnect', () => drain('the parent process ended'))
}

function explain(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') return new UserError(`PORT=${port} is in use. Set PORT to a free port.`)
  if (error.code === 'EACCES')
    return new UserError(`PORT=${port} needs more privileges. Set PORT to a port above 1023.`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UserError('HOST is not an address of this machine. Set it to one that is, or leave it out.')
  return error
}
