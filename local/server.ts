import { UserError } from '../functions/shared/process/user-error.ts'
import { listen, type Handler } from './front.ts'

export interface Server {
  port: number
  /** Sets the handler. Earlier requests wait for it. */
  use: (handler: Handler) => void
  /** Stops listening, and closes all connections. */
  close: () => void
}

/**
 * Starts a server on 127.0.0.1.
 * @param port 0 for any free port
 * @throws UserError if the port is in use or requires administrator rights
 */
export async function openServer(port: number): Promise<Server> {
  const { promise: given, resolve: use } = Promise.withResolvers<Handler>()
  let handler: Handler = (request, response) => void given.then((handle) => handle(request, response))
  void given.then((handle) => (handler = handle))
  const listening = listen((request, response) => handler(request, response), port)
  const { server, port: taken } = await listening.catch((error: unknown) => {
    throw explain(error, port)
  })
  return {
    port: taken,
    use,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function explain(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new UserError(`Port ${port} is in use. Stop what uses it, or set PORT to another one.`)
  if (code === 'EACCES')
    return new UserError(`Port ${port} requires administrator rights. Set PORT to 1024 or higher.`)
  return error
}
