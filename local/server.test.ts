import { once } from 'node:events'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from './ports.ts'
import { openServer } from './server.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

describe('a server', () => {
  const closing: (() => void)[] = []
  afterEach(() => closing.splice(0).forEach((close) => close()))

  const open = async (port: number, withIpv6: boolean) => {
    const server = await openServer(port, { withIpv6 })
    closing.push(server.close)
    server.use((_, response) => void response.writeHead(204).end())
    return server
  }

  it.skipIf(!hasIpv6)('answers at both loopback addresses', async () => {
    const { port } = await open(0, true)
    for (const host of ['127.0.0.1', '[::1]', 'localhost'])
      expect((await fetch(`http://${host}:${port}`)).status).toBe(204)
  })

  it('answers at 127.0.0.1 only if it is not asked for more', async () => {
    const { port } = await open(0, false)
    expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(204)
    await expect(fetch(`http://[::1]:${port}`)).rejects.toThrow('fetch failed')
  })

  it.skipIf(!hasIpv6)('is not opened if the port is in use at one of them', async () => {
    const port = await freePort()
    const other = createServer().listen(port, '::1')
    closing.push(() => other.close())
    await once(other, 'listening')
    await expect(open(port, true)).rejects.toThrow(`Port ${port} is in use.`)
    // and leaves the other address free
    await open(port, false)
  })
})
