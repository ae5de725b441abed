import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { afterEach, expect, inject, it } from 'vitest'
import { freePort } from '../../../local/ports.ts'
import { openPostgres, type Db } from '../store/postgres.ts'
import { createVerifier } from '../../../events/signature.ts'
import { deliveryHeaders, deliveryKey } from '../../../test/deliveries.ts'
import { reactionOf } from '../../source.ts'
import { loggable } from './loggable.ts'
import { reactionListener } from './serve-reaction.ts'

const opened: { server: Server; db: Db }[] = []
afterEach(async () => {
  for (const { server, db } of opened.splice(0)) {
    server.close()
    await db.client.end()
  }
})

/** Runs a reaction with the database of a URL. Returns the id of the event that it is sent, its answer and its log. */
async function deliver(url: string, data: object, { isSigned = true } = {}) {
  const db = openPostgres(url)
  const service = { deps: { db }, ping: async () => {}, checked: Promise.resolve(), close: async () => {} }
  const reaction = await reactionOf('release-stock')
  const entries: { msg: string; err?: unknown; security?: unknown }[] = []
  const log = pino(
    { serializers: { err: loggable } },
    { write: (line) => void entries.push(JSON.parse(line)) },
  )
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
  return { id, status: response.status, answer: await response.text(), entries }
}

const data = { orderId: uuidv7(), reason: 'a test' }
const unreachable = async () => `postgres://nobody@127.0.0.1:${await freePort()}/none`

it('returns 503 if its store cannot be reached, so that the event is never given up', async () => {
  expect(await deliver(await unreachable(), data)).toMatchObject({ status: 503 })
})

it('logs a delivery that is not signed as what someone has tried', async () => {
  const { status, entries } = await deliver(await unreachable(), data, { isSigned: false })
  expect(status).toBe(401)
  expect(entries.map(({ security }) => security)).toEqual([
    {
      event: 'delivery-not-signed',
      outcome: 'refused',
      actor: 'anonymous',
      address: '127.0.0.1',
      operation: 'release-stock',
      reason: expect.stringMatching(/dispatcher/),
    },
  ])
  expect(JSON.stringify(entries)).not.toContain(data.orderId)
})

it('returns 422 if the event is invalid, so that it is not retried', async () => {
  expect(await deliver(await unreachable(), { orderId: 'not an id' })).toMatchObject({ status: 422 })
})

it('keeps the parameters of a failed query out of its answer and its log', async () => {
  // a database without tables; the query’s parameters are the event’s id and the reaction’s name
  const { id, status, answer, entries } = await deliver(inject('stores').postgres, data)
  expect(status).toBe(500)
  expect(answer).not.toContain(id)
  expect(entries).toEqual([expect.objectContaining({ msg: 'reaction failed', event: id })])
  expect(JSON.stringify(entries[0]!.err)).toContain('inbox')
  expect(JSON.stringify(entries[0]!.err)).not.toContain(id)
})
