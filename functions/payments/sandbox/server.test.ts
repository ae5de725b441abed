import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSandbox } from '../../../test/shop-with-sandbox.ts'

let sandbox: Awaited<ReturnType<typeof openSandbox>>
beforeAll(async () => {
  sandbox = await openSandbox({ slowMs: 300, silentMs: 300 })
})
afterAll(() => sandbox.close())

const post = (path: string, body?: unknown, key: string = randomUUID()) =>
  sandbox.send('POST', path, body, { 'idempotency-key': key })

const request = (cardToken = 'card_approved', amount = 1000) => ({
  reference: randomUUID(),
  cardToken,
  amount: { amount, currency: 'EUR' },
})

async function authorized(cardToken?: string) {
  const { body } = await post('/v1/authorizations', request(cardToken))
  // the tests below check the shape of the answer
  return body as { id: string; reference: string }
}

describe('authorising', () => {
  it('returns the payment', async () => {
    const sent = request()
    const answer = await post('/v1/authorizations', sent)
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^pay_/),
      reference: sent.reference,
      status: 'authorized',
      amount: sent.amount,
      captured: 0,
      refunded: 0,
    })
  })

  it.each([
    ['card_declined', 'the issuer declined the card'],
    ['card_insufficient_funds', 'insufficient funds'],
    ['card_of_nobody', 'unknown card'],
    ['toString', 'unknown card'],
  ])('declines %s', async (card, declineReason) => {
    const { status, body } = await post('/v1/authorizations', request(card))
    expect({ status, body }).toMatchObject({ status: 201, body: { status: 'declined', declineReason } })
  })

  it('accepts one payment for each reference', async () => {
    const sent = request()
    const { body: first } = await post('/v1/authorizations', sent)
    const again = await post('/v1/authorizations', sent)
    expect(again.status).toBe(409)
    expect(again.body.payment).toEqual(first)
  })

  it('delays the answer for card_slow', async () => {
    const sent = request('card_slow')
    const since = performance.now()
    const answer = post('/v1/authorizations', sent)
    expect((await sandbox.send('GET', `/v1/payments?reference=${sent.reference}`)).body.items).toEqual([])
    expect((await answer).body.status).toBe('authorized')
    expect(performance.now() - since).toBeGreaterThan(280)
  })

  it('decides once for two concurrent requests with card_slow and one key', async () => {
    const sent = request('card_slow')
    const [a, b] = await Promise.all([
      post('/v1/authorizations', sent, 'slow-twice'),
      post('/v1/authorizations', sent, 'slow-twice'),
    ])
    expect(a.text).toBe(b.text)
    expect(await sandbox.journal(sent.reference)).toHaveLength(1)
  })
})

describe('capturing, voiding and refunding', () => {
  it('captures once', async () => {
    const { id } = await authorized()
    const captured = await post(`/v1/payments/${id}/capture`)
    expect(captured).toMatchObject({ status: 200, body: { status: 'captured', captured: 1000 } })
    const again = await post(`/v1/payments/${id}/capture`)
    expect(again).toMatchObject({ status: 409, body: { title: 'Refused', payment: { status: 'captured' } } })
    expect((await post(`/v1/payments/${id}/void`)).status).toBe(409)
  })

  it('voids once', async () => {
    const { id } = await authorized()
    expect(await post(`/v1/payments/${id}/void`)).toMatchObject({ status: 200, body: { status: 'voided' } })
    expect((await post(`/v1/payments/${id}/void`)).status).toBe(409)
    expect((await post(`/v1/payments/${id}/capture`)).status).toBe(409)
  })

  it('refunds in parts up to what is captured', async () => {
    const { id } = await authorized()
    expect((await post(`/v1/payments/${id}/refunds`, { amount: 1 })).status).toBe(409)
    await post(`/v1/payments/${id}/capture`)
    expect(await post(`/v1/payments/${id}/refunds`, { amount: 400 })).toMatchObject({
      status: 201,
      body: { refunded: 400 },
    })
    expect((await post(`/v1/payments/${id}/refunds`, { amount: 601 })).status).toBe(409)
    expect((await post(`/v1/payments/${id}/refunds`, { amount: 600 })).body.refunded).toBe(1000)
  })

  it('always refuses to capture card_capture_fails, but voids it', async () => {
    const { id } = await authorized('card_capture_fails')
    const refused = await post(`/v1/payments/${id}/capture`)
    expect(refused).toMatchObject({ status: 409, body: { payment: { status: 'authorized' } } })
    expect((await post(`/v1/payments/${id}/capture`)).status).toBe(409)
    expect((await post(`/v1/payments/${id}/void`)).body.status).toBe('voided')
  })

  it('rejects card_flaky once for each operation, without changing anything', async () => {
    const sent = request('card_flaky')
    expect((await post('/v1/authorizations', sent, 'flaky')).status).toBe(503)
    expect((await sandbox.send('GET', `/v1/payments?reference=${sent.reference}`)).body.items).toEqual([])
    const { status, body } = await post('/v1/authorizations', sent, 'flaky')
    expect(status).toBe(201)
    const capture = () => post(`/v1/payments/${body.id}/capture`, undefined, 'flaky-capture')
    expect([(await capture()).status, (await capture()).status, (await capture()).status]).toEqual([
      503, 200, 200,
    ])
  })

  it('executes the first request with card_timeout, but never answers it', async () => {
    const sent = request('card_timeout')
    await expect(post('/v1/authorizations', sent, 'silent')).rejects.toThrow('fetch failed')
    const { body } = await sandbox.send('GET', `/v1/payments?reference=${sent.reference}`)
    expect(body.items).toMatchObject([{ reference: sent.reference, status: 'authorized' }])
    const again = await post('/v1/authorizations', sent, 'silent')
    expect(again.body).toEqual(body.items[0])
  })
})

describe('an Idempotency-Key', () => {
  it('executes a request once and repeats its answer, even after a restart and a later change', async () => {
    const sent = request()
    const first = await post('/v1/authorizations', sent, 'key-1')
    await post(`/v1/payments/${first.body.id}/capture`, undefined, 'key-2')
    await post(`/v1/payments/${first.body.id}/capture`, undefined, 'key-3')
    await sandbox.stop()
    await sandbox.start()
    expect((await post('/v1/authorizations', sent, 'key-1')).text).toBe(first.text)
    expect((await post(`/v1/payments/${first.body.id}/capture`, undefined, 'key-2')).status).toBe(200)
    expect((await post(`/v1/payments/${first.body.id}/capture`, undefined, 'key-3')).status).toBe(409)
    const journal = await sandbox.journal(sent.reference)
    expect(journal.map((e) => [e.operation, e.outcome])).toEqual([
      ['authorize', 'done'],
      ['capture', 'done'],
      ['capture', 'refused'],
    ])
  })

  it('is rejected with a different body or path', async () => {
    const { id } = await authorized()
    await post(`/v1/payments/${id}/capture`, undefined, 'other-1')
    await post(`/v1/payments/${id}/refunds`, { amount: 1 }, 'other-2')
    expect((await post(`/v1/payments/${id}/void`, undefined, 'other-1')).status).toBe(422)
    expect((await post(`/v1/payments/${id}/refunds`, { amount: 2 }, 'other-2')).status).toBe(422)
  })

  it('executes a request once if it is sent 50 times concurrently', async () => {
    const sent = request()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/v1/authorizations', sent, 'fifty')),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await sandbox.journal(sent.reference)).toHaveLength(1)
  })
})

describe('an invalid request', () => {
  it('is rejected without the right API key', async () => {
    const headers = { authorization: 'Bearer wrong', 'idempotency-key': 'k' }
    expect((await sandbox.send('POST', '/v1/authorizations', request(), headers)).status).toBe(401)
    expect((await sandbox.send('GET', '/v1/journal', undefined, { authorization: '' })).status).toBe(401)
  })

  it.each([
    ['invalid JSON', '{'],
    ['no card', { ...request(), cardToken: undefined }],
    ['an amount of zero', request('card_approved', 0)],
    ['a fractional amount', request('card_approved', 1.5)],
    ['an unknown field', { ...request(), cvc: '123' }],
    ['an empty reference', { ...request(), reference: '' }],
  ])('is rejected with 422 if its body has %s', async (_, body) => {
    const answer = await post('/v1/authorizations', body)
    expect(answer).toMatchObject({ status: 422, body: { title: 'Not valid', status: 422 } })
  })

  it('is rejected without a key, or with an unknown payment or path', async () => {
    expect((await sandbox.send('POST', '/v1/authorizations', request())).status).toBe(400)
    expect((await post('/v1/payments/pay_none/capture')).status).toBe(404)
    expect((await sandbox.send('GET', '/v1/nothing')).status).toBe(404)
  })
})

it('answers open requests before it stops', async () => {
  const own = await openSandbox({ slowMs: 60_000, silentMs: 60_000 })
  const send = (card: string) =>
    own.send('POST', '/v1/authorizations', request(card), { 'idempotency-key': card })
  const slow = send('card_slow')
  const silent = send('card_timeout').catch((error: Error) => error.message)
  await expect.poll(async () => (await own.journal()).length, { timeout: 10_000 }).toBe(1)
  await own.close()
  expect((await slow).body.status).toBe('authorized')
  expect(await silent).toBe('fetch failed')
})
