import { UserError } from '../functions/shared/process/user-error.ts'
import { listen, type Handler } from './front.ts'

export interface Server {
  port: number
  /** Gives it its handler; until then, its requests wait. */
  use: (handler: Handler) => void
  /** Ends its connections as well. */
  close: () => void
}

/**
 * Opens a server on 127.0.0.1.
 * @param port 0 for a free one
 * @throws UserError if the port is in use or needs more rights
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
  if (code === 'EACCES') return new UserError(`Port ${port} needs more rights. Set PORT to one above 1023.`)
  return error
}
