import { describe, expect, it } from 'vitest'
import { functions } from '../../functions/table.ts'
import { bytes, figure, percent, span } from './format.ts'
import { readMeasured } from './measured.ts'
import { alwaysOn, coresOf, cores, inFlightOf, limitsOf, mib, partsOf, podsFor, savingOf } from './model.ts'
import type { Outcome } from './simulate.ts'
import { shardKeys } from './tables.ts'

const measured = readMeasured()

describe('quantities of Kubernetes', () => {
  it('are read with their units', () => {
    expect([cores('250m'), cores('2'), mib('64Mi'), mib('1Gi')]).toEqual([0.25, 2, 64, 1024])
  })
})

describe('the pods that a function needs', () => {
  const parts = partsOf(measured)

  it('use at most 70 % of their cores, and one pod fewer would use more', () => {
    for (const part of parts) {
      const pods = podsFor(part, 1_000)
      expect(coresOf(part, 1_000) / pods).toBeLessThanOrEqual(0.7)
      if (pods > 1) expect(coresOf(part, 1_000) / (pods - 1)).toBeGreaterThan(0.7)
    }
  })

  it('are at least one', () => {
    expect(parts.map((part) => podsFor(part, 0))).toEqual(parts.map(() => 1))
  })

  it('are counted for functions of the table only', () => {
    for (const { name } of parts) expect(functions).toHaveProperty([name])
  })
})

describe('the calls in flight in a busy pod', () => {
  it('are those on its CPU and those that wait for a store', () => {
    expect(inFlightOf({ cpuMs: 10, ms: 10 })).toBeCloseTo(7 / 3)
    expect(inFlightOf({ cpuMs: 10, ms: 20 })).toBeCloseTo(7 / 3 + 0.7)
  })
})

describe('the limits', () => {
  const limits = limitsOf(measured)

  it('begin with the lowest', () => {
    const rates = limits.map(({ ordersPerSecond }) => ordersPerSecond)
    expect(rates).toEqual(rates.toSorted((a, b) => a - b))
  })

  it('double when the costs are halved', () => {
    const { relay, dispatcher, nats, postgres } = measured.services
    const cheaper = { relay: relay / 2, dispatcher: dispatcher / 2, nats, postgres }
    const of = (all: typeof limits, name: string) => all.find(({ what }) => what === name)!.ordersPerSecond
    const lower = limitsOf({ ...measured, services: cheaper })
    for (const name of ['`relay`', '`dispatcher`']) expect(of(lower, name) / of(limits, name)).toBeCloseTo(2)
  })
})

describe('what scaling to zero saves', () => {
  const outcome: Outcome = {
    calls: 10,
    podSeconds: 3_600,
    warmPodSeconds: 86_400,
    mostPods: 2,
    coldCalls: 1,
    longestWait: 0,
  }

  it('is counted over all functions of the table', () => {
    const { zero, warm } = savingOf(new Map([['get-product', outcome]]))
    expect(zero).toBe(1 + 24 * alwaysOn().length)
    expect(warm).toBe(24 * Object.keys(functions).length)
  })
})

describe('the shard keys', () => {
  it('say whether every unique index contains them', async () => {
    const keys = await shardKeys()
    expect(keys.get('orders.timeline')).toEqual({ column: 'order_id', isInEveryKey: true })
    // its own id is a key, too
    expect(keys.get('payments.payments')).toEqual({ column: 'order_id', isInEveryKey: false })
  })
})

describe('a number in the document', () => {
  it('has three digits and a unit', () => {
    expect([figure(1_234.5), figure(0.012345), bytes(1_234_567), bytes(0)]).toEqual([
      '1,230',
      '0.012',
      '1.23 MB',
      '0 B',
    ])
    expect([percent(0.1234), percent(0.0001), percent(0), span(0.5), span(8)]).toEqual([
      '12.3 %',
      'less than 0.1 %',
      '0 %',
      '12 hours',
      '8 days',
    ])
  })
})
