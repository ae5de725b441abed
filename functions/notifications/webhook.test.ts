import * as fc from 'fast-check'
import { uuidv7 } from 'uuidv7'
import { describe, expect, it } from 'vitest'
import { createVerifier, signing } from '../../events/signature.ts'
import { sellerLinesOf, tellingsOf } from './webhook-orders.ts'
import { openWebhookSecrets, oldSecretMs, rotated } from './webhook-secrets.ts'
import {
  afterAttempt,
  failingMs,
  failureOf,
  floorOf,
  healthAfter,
  pausesMs,
  type Attempted,
  type DeliveryRow,
} from './webhook.ts'

const attempted = fc.oneof(
  fc.record({ answered: fc.integer({ min: 200, max: 599 }) }),
  fc.record({ error: fc.constant('no connection: ECONNREFUSED') }),
)

describe('a delivery', () => {
  it('is tried again with growing pauses, for days, and then given up', () => {
    const row: Pick<DeliveryRow, 'attempts' | 'attemptsBefore'> = { attempts: 3, attemptsBefore: 3 }
    const pauses: (number | undefined)[] = []
    let status = 'pending'
    while (status === 'pending') {
      const after = afterAttempt(row, { answered: 500 })
      pauses.push(after.pauseMs)
      row.attempts = after.attempts
      status = after.status
    }
    expect([status, pauses]).toEqual(['failed', [...pausesMs, undefined]])
    expect(pausesMs).toEqual([...pausesMs].toSorted((a, b) => a - b))
  })

  it('has succeeded with any status of success, and with no other', () => {
    fc.assert(
      fc.property(attempted, fc.integer({ min: 0, max: 20 }), (one: Attempted, attempts) => {
        const { status, pauseMs, attempts: count } = afterAttempt({ attempts, attemptsBefore: 0 }, one)
        const isSuccess = 'answered' in one && one.answered < 300
        expect(failureOf(one) === undefined).toBe(isSuccess)
        expect(status === 'delivered').toBe(isSuccess)
        expect(status === 'pending').toBe(pauseMs !== undefined)
        expect(count).toBe(attempts + 1)
      }),
    )
  })

  it('is not tried again if the endpoint is gone', () => {
    expect(afterAttempt({ attempts: 0, attemptsBefore: 0 }, { answered: 410 })).toMatchObject({
      status: 'failed',
    })
  })

  it('is found by its age', () => {
    const now = new Date()
    expect(floorOf(now) <= uuidv7()).toBe(true)
    expect(floorOf(new Date(now.getTime() + 60_000)) > uuidv7()).toBe(true)
  })
})

describe('an endpoint', () => {
  const now = new Date()
  const before = (ms: number) => new Date(now.getTime() - ms)

  it('fails since the first failure after the last success', () => {
    expect(healthAfter({ failingSince: null }, [{ answered: 500 }], now)).toEqual({ failingSince: now })
    const failingSince = before(1_000)
    expect(healthAfter({ failingSince }, [{ error: 'x' }], now)).toEqual({ failingSince })
    expect(healthAfter({ failingSince }, [{ error: 'x' }, { answered: 204 }], now)).toEqual({
      failingSince: null,
    })
  })

  it('is disabled if it has failed for days, or is gone', () => {
    const old = before(failingMs)
    expect(healthAfter({ failingSince: old }, [{ answered: 500 }], now)).toMatchObject({
      disabledBecause: 'failing',
    })
    expect(healthAfter({ failingSince: before(failingMs - 1) }, [{ answered: 500 }], now)).toEqual({
      failingSince: before(failingMs - 1),
    })
    expect(healthAfter({ failingSince: null }, [{ answered: 410 }], now)).toMatchObject({
      disabledBecause: 'gone',
    })
  })
})

describe('a secret', () => {
  const secrets = openWebhookSecrets('a key of the shop')
  const endpoint = { id: uuidv7(), generation: 1, oldGeneration: 1, oldUntil: null }
  const now = new Date()
  const later = new Date(now.getTime() + oldSecretMs)

  it('is of one endpoint, one generation and one shop', () => {
    const all = [
      secrets.of(endpoint.id, 1),
      secrets.of(endpoint.id, 2),
      secrets.of(uuidv7(), 1),
      openWebhookSecrets('another key').of(endpoint.id, 1),
    ]
    expect(new Set(all).size).toBe(4)
    for (const secret of all) expect(secret).toMatch(/^whsec_[A-Za-z\d+/]{43}=$/)
    expect(secrets.of(endpoint.id, 1)).toBe(all[0])
  })

  it('signs for a day after it was replaced, also if the answer with the new one was lost', () => {
    const second = { ...endpoint, ...rotated(endpoint, now) }
    const third = { ...second, ...rotated(second, now) }
    const signatures = signing(secrets.signing(third, now))('an id', 'a body')
    for (const generation of [1, 2, 3])
      expect(createVerifier([secrets.of(endpoint.id, generation)])(signatures, 'a body')).toBeUndefined()
    expect(secrets.signing(third, later)).toEqual([secrets.of(endpoint.id, 3)])
  })

  it('is one of five at most', () => {
    const row: Parameters<typeof secrets.signing>[0] = { ...endpoint }
    for (let n = 0; n < 20; n++) Object.assign(row, rotated(row, now))
    expect(secrets.signing(row, now)).toEqual([21, 20, 19, 18, 17].map((n) => secrets.of(endpoint.id, n)))
  })
})

describe('what sellers are told about an order', () => {
  it('is their own lines, all of them, and nothing else', () => {
    const sku = fc.constantFrom('A', 'B', 'C', 'D')
    const lines = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 9 }) }), { minLength: 1 })
    const sellers = fc.dictionary(sku, fc.constantFrom('ann', 'ben'))
    fc.assert(
      fc.property(lines, sellers, (lines, given) => {
        const owners = new Map(Object.entries(given))
        const order = {
          orderId: 'o',
          customerId: 'somebody',
          lines,
          total: { amount: 123_456, currency: 'EUR' },
        }
        const own = sellerLinesOf(order, owners)
        const news = { eventId: 'e', type: 'order.placed', at: new Date() } as const
        const told = own === undefined ? [] : tellingsOf('o', own, news, {})
        for (const { sellerId, data } of told)
          expect(data).toEqual({
            orderId: 'o',
            currency: 'EUR',
            lines: lines.filter(({ sku }) => owners.get(sku) === sellerId),
          })
        const concerned = lines.flatMap(({ sku }) => owners.get(sku) ?? [])
        expect(new Set(told.map(({ sellerId }) => sellerId))).toEqual(new Set(concerned))
        expect(told).toHaveLength(new Set(concerned).size)
        expect(JSON.stringify(told)).not.toMatch(/somebody|123456/)
      }),
    )
  })
})
