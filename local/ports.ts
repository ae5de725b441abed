import { once } from 'node:events'
import { createServer } from 'node:net'

/** Returns a free TCP port of 127.0.0.1. Another process may take it first, so be prepared to retry. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port
}
