import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { createStreams } from './streams.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

it('cuts off a client that does not read, and goes on with the others', async () => {
  const streams = createStreams()
  let gone = 0
  const server = createServer((_, response) => streams.add(response, () => (gone += 1))).listen(
    0,
    '127.0.0.1',
  )
  closing.push(() => {
    server.close()
    streams.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const open = async () => {
    const socket = connect(port, '127.0.0.1')
    closing.push(() => socket.destroy())
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return socket
  }
  const [reading, silent] = [await open(), await open()]
  reading.resume()
  silent.pause()
  await expect.poll(streams.count).toBe(2)
  const message = 'x'.repeat(64 * 1024)
  for (let n = 0; n < 400 && streams.count() > 1; n += 1) {
    streams.send({ message })
    await turn()
  }
  await expect.poll(() => gone).toBe(1)
  streams.send({ message: 'last' })
  const [chunk] = (await once(reading, 'data')) as [Buffer]
  expect([streams.count(), chunk.length > 0]).toEqual([1, true])
})
