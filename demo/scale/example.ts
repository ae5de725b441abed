import type { Part } from './source.ts'
import type { Recording } from './recording.ts'

/** For tests. */
export const part = (name: string, more: Partial<Part> = {}): Part => ({
  name,
  class: 'kpa',
  floor: 0,
  desired: 0,
  ready: 0,
  starting: 0,
  concurrency: undefined,
  cpu: undefined,
  panic: false,
  reason: undefined,
  ...more,
})

const began = Date.UTC(2026, 10, 27)

/** A short run, for tests: a function goes 0 → 2 → 0 under a load of three seconds. */
export const recording = (more: Partial<Recording> = {}): Recording => ({
  title: 'Black Friday',
  about: 'ten times the usual load',
  label: 'the local runner',
  note: undefined,
  url: 'http://localhost:8080',
  rate: 10,
  seconds: 3,
  began,
  load: {
    sent: [
      { at: 100, name: 'get-product', ms: 420, status: 200 },
      { at: 1500, name: 'get-product', ms: 12, status: 200 },
      { at: 2500, name: 'get-product', ms: 9, status: 503 },
    ],
    unsent: [2600],
    inFlight: new Map([['get-product', 3]]),
  },
  samples: [0, 1, 2, 2, 0].map((ready, second) => ({
    at: began + second * 1000,
    parts: [
      part('get-product', { ready, desired: second === 0 ? 1 : ready }),
      part('gateway', { class: 'hpa', floor: 1, ready: 1, desired: 1, cpu: { now: 88, target: 60 } }),
      part('relay', { class: 'always', ready: 1, desired: 1 }),
      part('refund-payment'),
    ],
  })),
  coldStarts: [{ name: 'get-product', at: began + 100, ms: 400, fromZero: true }],
  outcome: { confirmed: 7, cancelled: 1, underWay: 0 },
  remarks: [],
  ...more,
})
