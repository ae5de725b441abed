import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections and to servers that ask for any port. */
const first = 20_000
const last = 32_000
const attempts = 100

/**
 * Returns a free TCP port of 127.0.0.1. Hardly anybody takes it before it is used, because systems choose others.
 * @throws if no port is free
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = randomInt(first, last)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if (attempt < attempts) continue
      throw error
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
