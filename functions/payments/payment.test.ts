import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  left,
  meaningOf,
  next,
  statuses,
  strangenessOf,
  type PaymentEvent,
  type PaymentState,
} from './payment.ts'

const plain = [
  'authorize',
  'decline',
  'begin-capture',
  'capture',
  'fail-capture',
  'cancel',
  'void',
] as const satisfies PaymentEvent['type'][]
const ofMoney = ['begin-refund', 'refund', 'fail-refund'] as const satisfies PaymentEvent['type'][]

const amount = fc.integer({ min: 0, max: 1_000_000_000 })
const event: fc.Arbitrary<PaymentEvent> = fc.oneof(
  fc.record({ type: fc.constantFrom(...plain) }),
  fc.record({
    type: fc.constantFrom(...ofMoney),
    amount: fc.oneof(fc.integer({ min: -3, max: 12 }), amount),
  }),
)
const total = fc.oneof(fc.integer({ min: 0, max: 12 }), amount)
/** The steps up to a capture, so that generated sequences reach refunds. */
const paid: PaymentEvent[] = [{ type: 'authorize' }, { type: 'begin-capture' }, { type: 'capture' }]
const events = fc.oneof(
  fc.array(event, { maxLength: 40 }),
  fc.array(event, { maxLength: 40 }).map((rest) => paid.concat(rest)),
)

const opened = (amount: number): PaymentState => ({
  status: 'authorizing',
  amount,
  captured: 0,
  refunded: 0,
  refunding: 0,
})

/** Returns the state after each event. An event that is not allowed leaves the state unchanged. */
function states(amount: number, events: PaymentEvent[]): PaymentState[] {
  const seen = [opened(amount)]
  for (const event of events) seen.push(next(seen.at(-1)!, event) ?? seen.at(-1)!)
  return seen
}

const isCovered = (state: PaymentState) => {
  const kept = state.captured - state.refunded
  return kept >= 0 && kept <= state.amount && left(state) >= 0 && state.refunded >= 0 && state.refunding >= 0
}

describe('a payment', () => {
  it('never holds a negative amount or more than was authorised', () => {
    fc.assert(
      fc.property(total, events, (amount, events) => {
        expect(states(amount, events).filter((state) => !isCovered(state))).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })

  it('never changes the authorised amount, and captures all of it or nothing', () => {
    fc.assert(
      fc.property(total, events, (total, events) => {
        const isSound = ({ amount, captured }: PaymentState) =>
          amount === total && [0, total].includes(captured)
        expect(states(total, events).filter((state) => !isSound(state))).toEqual([])
      }),
    )
  })

  it('is never both captured and voided, and never captured or voided twice', () => {
    fc.assert(
      fc.property(total, events, (amount, events) => {
        let state = opened(amount)
        let ends = 0
        for (const event of events) {
          const after = next(state, event)
          if (after === undefined) continue
          if (event.type === 'capture' || event.type === 'void') ends++
          state = after
        }
        expect(ends).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('does not change once it is declined, voided or refunded', () => {
    fc.assert(
      fc.property(fc.constantFrom('declined', 'voided', 'refunded'), event, (status, event) => {
        expect(next({ ...opened(5), status }, event)).toBeUndefined()
      }),
    )
  })

  it('counts a refund only once the provider has confirmed it', () => {
    const captured = states(100, paid).at(-1)!
    const begun = next(captured, { type: 'begin-refund', amount: 30 })
    expect(begun).toMatchObject({ status: 'captured', refunded: 0, refunding: 30 })
    expect(next(begun!, { type: 'refund', amount: 30 })).toMatchObject({ refunded: 30, refunding: 0 })
    expect(next(begun!, { type: 'fail-refund', amount: 30 })).toEqual(captured)
    expect(next(begun!, { type: 'begin-refund', amount: 71 })).toBeUndefined()
  })

  it('becomes refunded when the whole amount was refunded', () => {
    const whole: PaymentEvent[] = [
      { type: 'begin-refund', amount: 60 },
      { type: 'begin-refund', amount: 40 },
      { type: 'refund', amount: 40 },
      { type: 'refund', amount: 60 },
    ]
    expect(states(100, [...paid, ...whole]).map(({ status }) => status)).toEqual([
      'authorizing',
      'authorized',
      'capturing',
      'captured',
      'captured',
      'captured',
      'captured',
      'refunded',
    ])
  })

  it('cannot be voided during a capture', () => {
    expect(next({ ...opened(5), status: 'capturing' }, { type: 'cancel' })).toBeUndefined()
  })

  it('can be voided after a failed capture', () => {
    expect(next({ ...opened(5), status: 'capture_failed' }, { type: 'cancel' })?.status).toBe('voiding')
  })

  it('reaches every status', () => {
    const reached = new Set<string>()
    const visit = (state: PaymentState) => {
      if (reached.has(state.status)) return
      reached.add(state.status)
      for (const type of plain) {
        const after = next(state, { type })
        if (after !== undefined) visit(after)
      }
    }
    visit(opened(5))
    expect([...reached, 'refunded'].sort()).toEqual([...statuses].sort())
  })
})

describe('what the provider tells', () => {
  const providerStatuses = ['authorized', 'captured', 'voided', 'declined'] as const
  const told = fc.array(fc.constantFrom(...providerStatuses), { maxLength: 20 })

  /** The statuses in which the outcome of a call is not known. */
  const open = new Set<string>(['authorizing', 'capturing', 'voiding'])

  it('is allowed by the state machine, and ends the wait, whatever it is', () => {
    for (const status of statuses)
      for (const one of providerStatuses) {
        const type = meaningOf(status, one)
        if (type === undefined) continue
        const after = next({ ...opened(5), status }, { type })
        expect({ status, one, after: open.has(after?.status ?? 'refused') }).toEqual({
          status,
          one,
          after: false,
        })
      }
  })

  it('changes nothing once the outcome is known', () => {
    for (const status of statuses.filter((status) => !open.has(status)))
      for (const one of providerStatuses) expect(meaningOf(status, one)).toBeUndefined()
  })

  it('settles a payment at most once, in any order and however often it is told', () => {
    fc.assert(
      fc.property(fc.constantFrom('authorizing', 'capturing', 'voiding'), told, (status, all) => {
        let state: PaymentState = { ...opened(5), status }
        let settled = 0
        for (const one of all) {
          const type = meaningOf(state.status, one)
          if (type === undefined) continue
          state = next(state, { type })!
          settled++
        }
        expect(settled).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is strange if it moved more money than the shop has requested, or moved it without a request', () => {
    const captured: PaymentState = {
      ...opened(5),
      status: 'captured',
      captured: 5,
      refunded: 1,
      refunding: 2,
    }
    expect(strangenessOf(captured, { status: 'captured', refunded: 3 })).toBeUndefined()
    expect(strangenessOf(captured, { status: 'captured', refunded: 0 })).toBeUndefined()
    expect(strangenessOf(captured, { status: 'captured', refunded: 4 })).toMatch(/more was refunded/)
    expect(strangenessOf(captured, { status: 'voided', refunded: 0 })).toMatch(/^it was voided without/)
    const authorized: PaymentState = { ...opened(5), status: 'authorized' }
    expect(strangenessOf(authorized, { status: 'captured', refunded: 0 })).toMatch(/^it was captured without/)
    expect(strangenessOf(authorized, { status: 'authorized', refunded: 0 })).toBeUndefined()
  })
})
