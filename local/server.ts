import type { Server as HttpServer } from 'node:http'
import { UserError } from '../functions/shared/process/user-error.ts'
import { listen, type Handler } from './front.ts'

export interface Server {
  port: number
  /** Sets the handler. Earlier requests wait for it. */
  use: (handler: Handler) => void
  /** Stops listening, and closes all connections. */
  close: () => void
}

/** The maximum number of ports to try until one is free for both IPv4 and IPv6. */
const attempts = 10

/**
 * Starts a server on 127.0.0.1.
 * @param port 0 for any free port
 * @param options `withIpv6`: whether to listen on ::1 as well, if the machine has it
 * @throws UserError if the port is in use or requires administrator rights
 */
export async function openServer(port: number, { withIpv6 = false } = {}): Promise<Server> {
  const { promise: given, resolve: use } = Promise.withResolvers<Handler>()
  let handler: Handler = (request, response) => void given.then((handle) => handle(request, response))
  void given.then((handle) => (handler = handle))
  const handle: Handler = (request, response) => handler(request, response)
  const open = withIpv6 ? listenOnBoth : listenOnOne
  const { servers, port: taken } = await open(handle, port).catch((error: unknown) => {
    throw explain(error, port)
  })
  return {
    port: taken,
    use,
    close: () => servers.forEach(close),
  }
}

interface Listening {
  servers: HttpServer[]
  port: number
}

async function listenOnOne(handle: Handler, port: number): Promise<Listening> {
  const { server, port: taken } = await listen(handle, port)
  return { servers: [server], port: taken }
}

async function listenOnBoth(handle: Handler, port: number, attempt = 1): Promise<Listening> {
  const { servers, port: taken } = await listenOnOne(handle, port)
  try {
    const { server } = await listen(handle, taken, '::1')
    return { servers: [...servers, server], port: taken }
  } catch (error) {
    if (lacksIpv6(error)) return { servers, port: taken }
    servers.forEach(close)
    if (port === 0 && attempt < attempts) return listenOnBoth(handle, port, attempt + 1)
    throw error
  }
}

const lacksIpv6 = (error: unknown) =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')

function close(server: HttpServer) {
  server.close()
  server.closeAllConnections()
}

function explain(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new UserError(`Port ${port} is in use. Stop what uses it, or set PORT to another one.`)
  if (code === 'EACCES')
    return new UserError(`Port ${port} requires administrator rights. Set PORT to 1024 or higher.`)
  return error
}
