import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort } from '../../../local/ports.ts'
import { openPostgres, type Db } from '../store/postgres.ts'
import { createVerifier } from '../../../events/signature.ts'
import { deliveryHeaders, deliveryKey } from '../../../test/deliveries.ts'
import { reactionOf } from '../../source.ts'
import { reactionListener } from './serve-reaction.ts'

/** The reaction's database, which cannot be reached. */
let db: Db
const server = createServer()

beforeAll(async () => {
  db = openPostgres(`postgres://nobody@127.0.0.1:${await freePort()}/none`)
  const opened = { deps: { db }, ping: async () => {}, checked: Promise.resolve(), close: async () => {} }
  server.on(
    'request',
    reactionListener(
      await reactionOf('release-stock'),
      opened,
      createVerifier([deliveryKey]),
      pino({ level: 'silent' }),
    ),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.close()
  await db.client.end()
})

const send = async (data: object) => {
  const body = JSON.stringify({
    specversion: '1.0',
    id: uuidv7(),
    type: 'dev.zeroshop.order.cancelled',
    source: '/orders',
    subject: uuidv7(),
    time: new Date().toISOString(),
    data,
  })
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    method: 'POST',
    headers: deliveryHeaders(body),
    body,
  })
  await response.text()
  return response.status
}

it('returns 503 if its store cannot be reached, so that the event is never given up', async () => {
  expect(await send({ orderId: uuidv7(), reason: 'a test' })).toBe(503)
})

it('returns 422 if the event is invalid, so that it is not retried', async () => {
  expect(await send({ orderId: 'not an id' })).toBe(422)
})
