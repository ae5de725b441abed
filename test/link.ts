import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/**
 * A link to a store that a test can cut: a TCP proxy on 127.0.0.1.
 * @param url of the store
 * @returns the same URL by way of the link
 */
export async function openLink(url: string) {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => sockets.delete(from) && to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const linked = new URL(url)
  // it listens on a port
  linked.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: linked.href,
    /** Ends every connection and refuses new ones. */
    cut: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
