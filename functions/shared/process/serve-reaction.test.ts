import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { format } from 'node:util'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { afterEach, expect, inject, it, vi } from 'vitest'
import { freePort } from '../../../local/ports.ts'
import { openPostgres, type Db } from '../store/postgres.ts'
import { createVerifier } from '../../../events/signature.ts'
import { deliveryHeaders, deliveryKey } from '../../../test/deliveries.ts'
import { reactionOf } from '../../source.ts'
import { reactionListener } from './serve-reaction.ts'

const opened: { server: Server; db: Db }[] = []
afterEach(async () => {
  for (const { server, db } of opened.splice(0)) {
    server.close()
    await db.client.end()
  }
})

/** Runs a reaction with the database of a URL. Returns the id of the event that it is sent, and its answer's status. */
async function deliver(url: string, data: object, { log = silent, isSigned = true } = {}) {
  const db = openPostgres(url)
  const service = { deps: { db }, ping: async () => {}, checked: Promise.resolve(), close: async () => {} }
  const reaction = await reactionOf('release-stock')
  const server = createServer(reactionListener(reaction, service, createVerifier([deliveryKey]), log))
  opened.push({ server, db })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const id = uuidv7()
  const body = JSON.stringify({
    specversion: '1.0',
    id,
    type: 'dev.zeroshop.order.cancelled',
    source: '/orders',
    subject: uuidv7(),
    time: new Date().toISOString(),
    data,
  })
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    method: 'POST',
    headers: isSigned ? deliveryHeaders(body) : {},
    body,
  })
  await response.text()
  return { id, status: response.status }
}

const silent = pino({ level: 'silent' })
const data = { orderId: uuidv7(), reason: 'a test' }
const unreachable = async () => `postgres://nobody@127.0.0.1:${await freePort()}/none`

it('returns 503 if its store cannot be reached, so that the event is never given up', async () => {
  expect(await deliver(await unreachable(), data)).toMatchObject({ status: 503 })
})

it('logs a delivery that is not signed as what someone has tried', async () => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => lines.push(line) })
  expect(await deliver(await unreachable(), data, { log, isSigned: false })).toMatchObject({ status: 401 })
  expect(lines.map((line) => (JSON.parse(line) as { security: unknown }).security)).toEqual([
    {
      event: 'delivery-not-signed',
      outcome: 'refused',
      actor: 'anonymous',
      address: '127.0.0.1',
      operation: 'release-stock',
      reason: expect.stringMatching(/dispatcher/),
    },
  ])
  expect(lines.join()).not.toContain(data.orderId)
})

it('returns 422 if the event is invalid, so that it is not retried', async () => {
  expect(await deliver(await unreachable(), { orderId: 'not an id' })).toMatchObject({ status: 422 })
})

it('keeps the parameters of a failed query off the console', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  // a database without tables
  const { id, status } = await deliver(inject('stores').postgres, data)
  const lines = printed.mock.calls.map((args) => format(...args)).join('\n')
  printed.mockRestore()
  expect(status).toBe(500)
  expect(lines).toContain('The reaction failed')
  expect(lines).not.toContain(id)
})
