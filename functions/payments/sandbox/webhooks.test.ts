import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deliveryKey } from '../../../test/deliveries.ts'
import { openSandbox } from '../../../test/shop-with-sandbox.ts'

/** What a shop was told. The package of Standard Webhooks checks the signatures. */
interface Told {
  id: string
  type: string
  data: { payment: { id: string; status: string; refunded: number }; amount: number; idempotencyKey: string }
}

let shop: Server
let sandbox: Awaited<ReturnType<typeof openSandbox>>
/** The answers to the next webhooks; after them, 204. */
let answers: number[]
let told: Told[]

beforeEach(async () => {
  answers = []
  told = []
  shop = createServer((request, response) => {
    void text(request).then((body) => {
      response.writeHead(answers.shift() ?? 204).end()
      told.push({ id: String(request.headers['webhook-id']), ...verified(body, request.headers) })
    })
  }).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  // a server on a TCP port has an AddressInfo
  const { port } = shop.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/webhooks`
  sandbox = await openSandbox({ silentMs: 50, webhooks: { url, keys: [deliveryKey], pausesMs: [0, 0, 20] } })
})
afterEach(async () => {
  await sandbox.close()
  shop.close().closeAllConnections()
})

const verified = (body: string, headers: IncomingHttpHeaders) =>
  // the tests below check its fields
  new Webhook(deliveryKey).verify(body, headers as Record<string, string>) as Omit<Told, 'id'>

const post = (path: string, body?: unknown, key: string = randomUUID()) =>
  sandbox.send('POST', path, body, { 'idempotency-key': key })

const authorize = async (cardToken = 'card_approved', key?: string): Promise<string> => {
  const amount = { amount: 1000, currency: 'EUR' }
  const { body } = await post('/v1/authorizations', { reference: randomUUID(), cardToken, amount }, key)
  return body?.id
}

/** Waits for the webhooks of a number of attempts. */
const hear = (count: number) => vi.waitFor(() => expect(told).toHaveLength(count))

describe('the sandbox’s webhooks', () => {
  it('tell each change of a payment, with the payment and the key of the request', async () => {
    const id = await authorize('card_approved', 'a-key')
    await hear(1)
    await post(`/v1/payments/${id}/capture`)
    await hear(2)
    await post(`/v1/payments/${id}/refunds`, { amount: 300 })
    await hear(3)
    expect(told.map(({ type, data }) => [type, data.payment.status, data.amount])).toEqual([
      ['payment.authorized', 'authorized', 1000],
      ['payment.captured', 'captured', 1000],
      ['payment.refunded', 'captured', 300],
    ])
    expect(told[0]!.data).toEqual({
      payment: {
        id,
        reference: expect.any(String),
        status: 'authorized',
        amount: { amount: 1000, currency: 'EUR' },
        captured: 0,
        refunded: 0,
      },
      amount: 1000,
      idempotencyKey: 'a-key',
    })
    expect(new Set(told.map((one) => one.id)).size).toBe(3)
  })

  it('tell that a card was declined, and that a payment was voided', async () => {
    await authorize('card_declined')
    await hear(1)
    await post(`/v1/payments/${await authorize()}/void`)
    await hear(3)
    expect(told.map(({ type }) => type).toSorted()).toEqual([
      'payment.authorized',
      'payment.declined',
      'payment.voided',
    ])
  })

  it('tell a change whose request is never answered', async () => {
    await expect(authorize('card_timeout')).rejects.toThrow('fetch failed')
    await hear(1)
    expect(told[0]).toMatchObject({ type: 'payment.authorized' })
  })

  it('tell a change once, however often its request is repeated, and nothing of what is refused', async () => {
    const id = await authorize()
    const key = randomUUID()
    for (let n = 0; n < 3; n++) await post(`/v1/payments/${id}/capture`, undefined, key)
    await post(`/v1/payments/${id}/void`)
    await post(`/v1/payments/${id}/refunds`, { amount: 1 })
    await hear(3)
    expect(told.map(({ type }) => type)).toEqual([
      'payment.authorized',
      'payment.captured',
      'payment.refunded',
    ])
  })

  it('are sent again with the same id and a new signature until they are taken', async () => {
    answers = [503, 404]
    await authorize()
    await hear(3)
    expect(new Set(told.map(({ id }) => id)).size).toBe(1)
  })

  it('are sent again after a restart, but not those that were taken', async () => {
    await authorize()
    await hear(1)
    answers = [500, 500, 500]
    const id = await authorize('card_declined')
    await hear(4)
    await sandbox.stop()
    await sandbox.start()
    await hear(5)
    expect(told[4]).toMatchObject({ type: 'payment.declined', data: { payment: { id } } })
    await sandbox.stop()
    await sandbox.start()
    await authorize()
    await hear(6)
    expect(told[5]).toMatchObject({ type: 'payment.authorized' })
  })
})
