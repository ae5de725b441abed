import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { uuidv7 } from 'uuidv7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSandbox } from '../../test/shop-with-sandbox.ts'
import { httpProvider } from './http-provider.ts'
import { ProviderRefused, ProviderUnavailable } from './provider.ts'

let sandbox: Awaited<ReturnType<typeof openSandbox>>
beforeAll(async () => {
  sandbox = await openSandbox({ silentMs: 2_000 })
})
afterAll(async () => {
  for (const server of servers) server.close().closeAllConnections()
  await sandbox.close()
})

const servers: Server[] = []
/** Runs another provider. Returns its URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  // a server on a TCP port has an AddressInfo
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const provider = (apiKey = sandbox.apiKey) => httpProvider(sandbox.url, apiKey, { timeoutMs: 1_000 })
const request = (cardToken = 'card_approved', amount = 500) => ({
  reference: uuidv7(),
  cardToken,
  amount: { amount, currency: 'EUR' },
})

const whole = { amount: undefined, isLast: true }

describe('the provider over HTTP', () => {
  it('captures in parts, up to what is authorised, and gives the rest back', async () => {
    const { id } = await provider().authorize(request(), uuidv7())
    const key = uuidv7()
    for (let i = 0; i < 2; i++)
      expect(await provider().capture(id, { amount: 200, isLast: false }, key)).toMatchObject({
        status: 'authorized',
        captured: 200,
      })
    await expect(provider().capture(id, { amount: 301, isLast: false }, uuidv7())).rejects.toEqual(
      new ProviderRefused('only 300 is left to capture'),
    )
    expect(await provider().capture(id, { amount: 100, isLast: false }, uuidv7())).toMatchObject({
      captured: 300,
    })
    expect((await provider().refund(id, 50, uuidv7())).refunded).toBe(50)
    expect(await provider().void(id, uuidv7())).toMatchObject({ status: 'captured', captured: 300 })
  })

  it('authorises, captures, refunds and looks up', async () => {
    const sent = request()
    const { id, status } = await provider().authorize(sent, uuidv7())
    expect(status).toBe('authorized')
    expect((await provider().capture(id, whole, uuidv7())).captured).toBe(500)
    expect((await provider().refund(id, 200, uuidv7())).refunded).toBe(200)
    expect(await provider().lookUp(sent.reference)).toEqual({
      id,
      reference: sent.reference,
      status: 'captured',
      amount: sent.amount,
      captured: 500,
      refunded: 200,
    })
  })

  it('voids, and returns why a card is declined', async () => {
    const { id } = await provider().authorize(request(), uuidv7())
    expect((await provider().void(id, uuidv7())).status).toBe('voided')
    expect(await provider().authorize(request('card_declined'), uuidv7())).toMatchObject({
      status: 'declined',
      declineReason: 'the issuer declined the card',
    })
  })

  it('finds no payment that was never made', async () => {
    expect(await provider().lookUp('no/such?reference')).toBeUndefined()
  })

  it('throws ProviderRefused with the reason for a final refusal', async () => {
    const { id } = await provider().authorize(request(), uuidv7())
    await expect(provider().refund(id, 1, uuidv7())).rejects.toEqual(
      new ProviderRefused('a payment that is authorized has no refunds'),
    )
    await expect(provider().authorize(request('card_approved', 0), uuidv7())).rejects.toBeInstanceOf(
      ProviderRefused,
    )
  })

  it.each(['card_flaky', 'card_timeout'])('throws ProviderUnavailable for %s', async (card) => {
    await expect(provider().authorize(request(card), uuidv7())).rejects.toBeInstanceOf(ProviderUnavailable)
  })

  it('does not treat a wrong API key as a refusal of the payment', async () => {
    await expect(provider('wrong').authorize(request(), uuidv7())).rejects.toBeInstanceOf(ProviderUnavailable)
  })

  it('throws ProviderUnavailable if no server listens', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const nobody = httpProvider(`http://${host}:9`, 'k')
      const error = await nobody.lookUp('r').catch((error: unknown) => error)
      expect(error).toBeInstanceOf(ProviderUnavailable)
      expect(String(error)).toMatch(/ECONNREFUSED/)
    }
  })

  it.each([
    [307, ProviderUnavailable, 'payment provider: it answered 307: Temporary Redirect'],
    [500, ProviderUnavailable, 'payment provider: it answered 500: Internal Server Error'],
    [429, ProviderUnavailable, 'payment provider: it answered 429: Too Many Requests'],
    [404, ProviderRefused, 'Not Found'],
  ])('takes an answer %i without a reason for %o', async (status, kind, message) => {
    const url = await serve((_, response) => response.writeHead(status, { location: '/' }).end('<html>'))
    await expect(httpProvider(url, 'k').capture('pay_1', whole, 'k')).rejects.toEqual(new kind(message))
  })

  it('says that the provider did not answer in time', async () => {
    const url = await serve(() => {})
    const silent = httpProvider(url, 'k', { timeoutMs: 50 })
    await expect(silent.lookUp('r')).rejects.toEqual(
      new ProviderUnavailable('payment provider: no response within 0.05 s'),
    )
  })

  it.each(['no JSON', '{"status":"paid"}', '{"items":[{}]}'])(
    'throws ProviderUnavailable for the invalid answer %j',
    async (body) => {
      const odd = httpProvider(await serve((_, response) => response.end(body)), 'k')
      await expect(odd.capture('pay_1', whole, 'k')).rejects.toBeInstanceOf(ProviderUnavailable)
      await expect(odd.lookUp('r')).rejects.toBeInstanceOf(ProviderUnavailable)
    },
  )
})
