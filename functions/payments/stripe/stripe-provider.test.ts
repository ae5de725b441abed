import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { uuidv7 } from 'uuidv7'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lacksStripeMock, startStripeMock } from '../../../test/stripe-mock.ts'
import { ProviderRefused, ProviderUnavailable, type PaymentProvider } from '../provider.ts'
import { stripeProvider } from './stripe-provider.ts'

const request = (cardToken = 'pm_card_visa', amount = 500) => ({
  reference: uuidv7(),
  cardToken,
  amount: { amount, currency: 'EUR' },
})

const whole = { amount: undefined, isLast: true }

if (lacksStripeMock !== undefined) console.warn(`Skipped: ${lacksStripeMock}.`)

describe.skipIf(lacksStripeMock)('the requests to Stripe', () => {
  let mock: Awaited<ReturnType<typeof startStripeMock>>
  let provider: PaymentProvider
  beforeAll(async () => {
    mock = await startStripeMock()
    provider = stripeProvider(mock.url, 'sk_test_123')
  }, 180_000)
  afterAll(() => mock.close())

  // stripe-mock has no state, so each payment is as in its fixtures: without a card
  const payment = { id: expect.stringMatching(/^pi_/), status: 'declined', captured: 0, refunded: 0 }

  it('that authorise are accepted', async () =>
    expect(await provider.authorize(request(), uuidv7())).toMatchObject({
      ...payment,
      amount: { amount: 500, currency: 'EUR' },
    }))

  it('that capture, void and look up are accepted, and the payment is found by its id', async () => {
    expect(await provider.capture('pi_1', whole, uuidv7())).toMatchObject({ ...payment, id: 'pi_1' })
    expect(await provider.void('pi_1', uuidv7())).toMatchObject({ ...payment, id: 'pi_1' })
    expect(await provider.lookUp(uuidv7(), 'pi_1')).toMatchObject({ ...payment, id: 'pi_1' })
  })

  it('that look up by the reference are accepted', async () =>
    expect(await provider.lookUp(uuidv7())).toMatchObject(payment))

  it('that refund are accepted', async () =>
    expect(await provider.refund('pi_1', 5, uuidv7())).toMatchObject({ ...payment, id: 'pi_1' }))

  it('are refused if a field is not valid, with Stripe’s reason', async () => {
    const error = await provider.refund('pi_1', NaN, uuidv7()).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ProviderRefused)
    expect(String(error)).toContain('amount')
  })

  it('are not refused, but fail, with an API key that is none of Stripe’s', async () =>
    expect(stripeProvider(mock.url, 'no key').lookUp('r', 'pi_1')).rejects.toBeInstanceOf(
      ProviderUnavailable,
    ))
})

describe('the answers of Stripe', () => {
  interface Asked {
    method: string
    path: string
    key: string | undefined
    form: Record<string, string>
  }
  let server: Server
  let url: string
  let provider: PaymentProvider
  /** The next answers. */
  let answers: [status: number, body: unknown][]
  let asked: Asked[]

  beforeEach(async () => {
    answers = []
    asked = []
    server = createServer((received, response) => {
      void remember(received).then(() => {
        const [status, body] = answers.shift() ?? [500, {}]
        response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // a server on a TCP port has an AddressInfo
    const { port } = server.address() as AddressInfo
    url = `http://127.0.0.1:${port}`
    provider = stripeProvider(url, 'sk', { timeoutMs: 500 })
  })
  afterEach(() => server.close().closeAllConnections())

  async function remember(received: IncomingMessage) {
    const [path, query = ''] = received.url!.split('?') as [string, string?]
    const form = Object.fromEntries(new URLSearchParams((await text(received)) || query))
    asked.push({ method: received.method!, path, key: received.headers['idempotency-key']?.toString(), form })
  }

  const intent = (more: object = {}) => ({
    id: 'pi_7',
    object: 'payment_intent',
    status: 'requires_capture',
    amount: 500,
    amount_received: 0,
    currency: 'eur',
    metadata: { reference: 'r7' },
    last_payment_error: null,
    latest_charge: { id: 'ch_7', amount_refunded: 0 },
    ...more,
  })
  const payment = {
    id: 'pi_7',
    reference: 'r7',
    status: 'authorized',
    amount: { amount: 500, currency: 'EUR' },
    captured: 0,
    refunded: 0,
  }
  const error = (more: object) => ({ error: { type: 'invalid_request_error', message: 'no', ...more } })

  it('to an authorisation become a payment; the card is held and not charged', async () => {
    answers = [[200, intent()]]
    const sent = request()
    expect(await provider.authorize(sent, 'authorize:7')).toEqual(payment)
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/v1/payment_intents',
        key: 'authorize:7',
        form: {
          amount: '500',
          currency: 'eur',
          capture_method: 'manual',
          confirm: 'true',
          payment_method: 'pm_card_visa',
          'metadata[reference]': sent.reference,
        },
      },
    ])
  })

  it('to the capture of a part leave the rest authorised, if the account may capture several times', async () => {
    const several = stripeProvider(url, 'sk', { multicapture: true })
    answers = [
      [200, intent()],
      [200, intent({ amount_received: 200 })],
      [200, intent({ amount_received: 500, status: 'succeeded' })],
    ]
    await several.authorize(request(), 'authorize:7')
    expect(await several.capture('pi_7', { amount: 200, isLast: false }, 'k1')).toEqual({
      ...payment,
      captured: 200,
    })
    expect(await several.capture('pi_7', { amount: 300, isLast: true }, 'k2')).toMatchObject({
      status: 'captured',
      captured: 500,
    })
    const option = 'payment_method_options[card][request_multicapture]'
    expect(asked.map(({ form }) => form)).toMatchObject([
      { [option]: 'if_available' },
      { amount_to_capture: '200', final_capture: 'false' },
      { amount_to_capture: '300' },
    ])
    expect(asked[2]!.form).not.toHaveProperty('final_capture')
  })

  it('are not asked for to capture a part of what can be captured only once', async () => {
    await expect(provider.capture('pi_7', { amount: 200, isLast: false }, 'k')).rejects.toBeInstanceOf(
      ProviderRefused,
    )
    expect(asked).toEqual([])
  })

  it('tell why a card is declined', async () => {
    const declined = intent({ status: 'requires_payment_method' })
    answers = [
      [402, error({ type: 'card_error', message: 'Your card was declined.', payment_intent: declined })],
    ]
    expect(await provider.authorize(request(), 'k')).toEqual({
      ...payment,
      status: 'declined',
      declineReason: 'Your card was declined.',
    })
  })

  it.each([
    ['requires_capture', 'authorized'],
    ['succeeded', 'captured'],
    ['canceled', 'voided'],
    ['requires_payment_method', 'declined'],
    ['requires_action', 'declined'],
  ])('with the status %s are of a payment that is %s', async (status, expected) => {
    answers = [[200, intent({ status })]]
    expect(await provider.lookUp('r7', 'pi_7')).toMatchObject({ id: 'pi_7', status: expected })
  })

  it('tell how much was captured and refunded', async () => {
    const charge = { id: 'ch_7', amount_refunded: 200 }
    answers = [[200, intent({ status: 'succeeded', amount_received: 500, latest_charge: charge })]]
    expect(await provider.lookUp('r7', 'pi_7')).toMatchObject({ captured: 500, refunded: 200 })
  })

  it('about a payment that is still processed leave its outcome unknown', async () => {
    answers = [[200, intent({ status: 'processing' })]]
    await expect(provider.lookUp('r7', 'pi_7')).rejects.toBeInstanceOf(ProviderUnavailable)
  })

  it('find a payment by its reference, or none', async () => {
    answers = [
      [200, { object: 'search_result', data: [intent()] }],
      [200, { object: 'search_result', data: [] }],
    ]
    expect(await provider.lookUp('r7')).toEqual(payment)
    expect(await provider.lookUp("r'8")).toBeUndefined()
    expect(asked.map(({ path, form }) => [path, form['query']])).toEqual([
      ['/v1/payment_intents/search', "metadata['reference']:'r7'"],
      ['/v1/payment_intents/search', "metadata['reference']:'r\\'8'"],
    ])
  })

  it('find no payment with an id that Stripe does not know', async () => {
    answers = [[404, error({ code: 'resource_missing' })]]
    expect(await provider.lookUp('r7', 'pi_7')).toBeUndefined()
  })

  it.each([
    [400, error({}), ProviderRefused],
    [402, error({ type: 'card_error' }), ProviderRefused],
    [404, error({}), ProviderRefused],
    [400, error({ type: 'idempotency_error' }), ProviderUnavailable],
    [401, error({}), ProviderUnavailable],
    [409, error({}), ProviderUnavailable],
    [429, error({}), ProviderUnavailable],
    [500, error({ type: 'api_error' }), ProviderUnavailable],
    [502, '<html>', ProviderUnavailable],
    [200, '<html>', ProviderUnavailable],
    [200, { id: 'pi_7' }, ProviderUnavailable],
  ])('with the status %i are final or not: %j', async (status, body, kind) => {
    answers = [[status, body]]
    await expect(provider.capture('pi_7', whole, 'k')).rejects.toBeInstanceOf(kind)
  })

  it('to a refund tell that it is made', async () => {
    const refund = { id: 're_7', status: 'succeeded', amount: 200, metadata: {}, payment_intent: 'pi_7' }
    answers = [
      [200, refund],
      [200, intent({ status: 'succeeded', latest_charge: { amount_refunded: 200 } })],
    ]
    expect(await provider.refund('pi_7', 200, 'refund:7')).toMatchObject({
      status: 'captured',
      refunded: 200,
    })
    expect(asked[0]).toMatchObject({
      path: '/v1/refunds',
      key: 'refund:7',
      form: { payment_intent: 'pi_7', amount: '200', 'metadata[key]': 'refund:7' },
    })
  })

  it.each([
    ['pending', ProviderUnavailable],
    ['requires_action', ProviderUnavailable],
    ['failed', ProviderRefused],
    ['canceled', ProviderRefused],
  ])(
    'to a repeated refund that was pending at first and is %s now are not its first answer',
    async (status, kind) => {
      const refund = { id: 're_7', status: 'pending', amount: 200, metadata: {}, payment_intent: 'pi_7' }
      answers = [
        [200, refund],
        [200, { ...refund, status }],
      ]
      await expect(provider.refund('pi_7', 200, 'k')).rejects.toBeInstanceOf(kind)
      expect(asked[1]).toMatchObject({ method: 'GET', path: '/v1/refunds/re_7' })
    },
  )
})
