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
  'capture',
  'fail-capture',
  'cancel',
  'void',
] as const satisfies PaymentEvent['type'][]
const ofMoney = [
  'begin-capture',
  'begin-refund',
  'refund',
  'fail-refund',
] as const satisfies PaymentEvent['type'][]

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
const paid = (amount: number): PaymentEvent[] => [
  { type: 'authorize' },
  { type: 'begin-capture', amount },
  { type: 'capture' },
]
const begun = fc.oneof(fc.constant([]), fc.integer({ min: 0, max: 12 }).map(paid))
const events = fc.tuple(begun, fc.array(event, { maxLength: 40 })).map(([first, rest]) => [...first, ...rest])

const opened = (amount: number): PaymentState => ({
  status: 'authorizing',
  amount,
  captured: 0,
  capturing: 0,
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

  it('never changes the authorised amount, and captures what was begun, part by part', () => {
    fc.assert(
      fc.property(total, events, (total, events) => {
        let state = opened(total)
        let parts = 0
        for (const event of events) {
          const after = next(state, event)
          if (after === undefined) continue
          if (event.type === 'capture') parts += state.capturing
          state = after
          expect(state).toMatchObject({ amount: total, captured: parts })
          expect(state.captured + state.capturing).toBeLessThanOrEqual(total)
        }
      }),
    )
  })

  it('is captured only when all of it is, or when the rest was voided', () => {
    fc.assert(
      fc.property(total, events, (amount, events) => {
        let isVoided = false
        let state = opened(amount)
        for (const event of events) {
          const after = next(state, event)
          if (after === undefined) continue
          // nothing moves any more once the rest is given back
          expect(isVoided && (event.type === 'capture' || event.type === 'void')).toBe(false)
          isVoided ||= event.type === 'void'
          state = after
        }
        if (state.status === 'captured') expect(isVoided || state.captured === amount).toBe(true)
        if (state.status === 'voided') expect(state.captured).toBe(0)
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
    const captured = states(100, paid(100)).at(-1)!
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
    expect(states(100, [...paid(100), ...whole]).map(({ status }) => status)).toEqual([
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
    const visited = new Set<string>()
    const visit = (state: PaymentState) => {
      const seen = `${state.status} ${state.capturing}`
      if (visited.has(seen)) return
      visited.add(seen)
      reached.add(state.status)
      const all = [
        ...plain.map((type) => ({ type })),
        { type: 'begin-capture' as const, amount: 5 },
        { type: 'begin-capture' as const, amount: 2 },
      ]
      for (const event of all) {
        const after = next(state, event)
        if (after !== undefined) visit(after)
      }
    }
    visit(opened(5))
    expect([...reached, 'refunded'].sort()).toEqual([...statuses].sort())
  })
})

describe('a payment of which a part was captured', () => {
  const partly = states(100, paid(30)).at(-1)!

  it('waits for the next part, and is captured with the last', () => {
    expect(partly).toMatchObject({ status: 'partly_captured', captured: 30, capturing: 0 })
    expect(next(partly, { type: 'begin-capture', amount: 71 })).toBeUndefined()
    const last = next(partly, { type: 'begin-capture', amount: 70 })!
    expect(last).toMatchObject({ status: 'capturing', captured: 30, capturing: 70 })
    expect(next(last, { type: 'capture' })).toMatchObject({ status: 'captured', captured: 100 })
    expect(next(last, { type: 'fail-capture' })).toMatchObject({ status: 'capture_failed', captured: 30 })
  })

  it('keeps it when the rest is voided, and refunds no more than it', () => {
    const voided = next(next(partly, { type: 'cancel' })!, { type: 'void' })!
    expect(voided).toMatchObject({ status: 'captured', captured: 30 })
    expect(next(voided, { type: 'begin-refund', amount: 31 })).toBeUndefined()
    const refunding = next(voided, { type: 'begin-refund', amount: 30 })!
    expect(next(refunding, { type: 'refund', amount: 30 })?.status).toBe('refunded')
  })

  it('is refunded while the rest is shipped', () => {
    const refunding = next(partly, { type: 'begin-refund', amount: 30 })!
    const capturing = next(refunding, { type: 'begin-capture', amount: 70 })!
    const refunded = next(capturing, { type: 'refund', amount: 30 })!
    expect(refunded).toMatchObject({ status: 'capturing', refunded: 30, refunding: 0 })
    expect(next(refunded, { type: 'capture' })).toMatchObject({ status: 'captured', captured: 100 })
  })

  it('knows from what is captured in all whether the next part is', () => {
    const capturing = next(partly, { type: 'begin-capture', amount: 20 })!
    expect(meaningOf(capturing, { status: 'authorized', captured: 30 })).toBeUndefined()
    expect(meaningOf(capturing, { status: 'authorized', captured: 50 })).toBe('capture')
    expect(meaningOf(partly, { status: 'authorized', captured: 30 })).toBeUndefined()
  })
})

describe('what the provider tells', () => {
  const provided = (['authorized', 'captured', 'voided', 'declined'] as const).map((status) => ({
    status,
    captured: status === 'captured' ? 5 : 0,
  }))
  const told = fc.array(fc.constantFrom(...provided), { maxLength: 20 })
  /** A payment of which all is being captured, if any of it is. */
  const stateIn = (status: PaymentState['status']): PaymentState => ({
    ...opened(5),
    status,
    capturing: status === 'capturing' ? 5 : 0,
  })

  /** The statuses in which the outcome of a call is not known. */
  const open = new Set<string>(['authorizing', 'capturing', 'voiding'])

  it('is allowed by the state machine, and ends the wait, whatever it is', () => {
    for (const status of statuses)
      for (const one of provided) {
        const type = meaningOf(stateIn(status), one)
        if (type === undefined) continue
        const after = next(stateIn(status), { type })
        expect({ status, one, after: open.has(after?.status ?? 'refused') }).toEqual({
          status,
          one,
          after: false,
        })
      }
  })

  it('changes nothing once the outcome is known', () => {
    for (const status of statuses.filter((status) => !open.has(status)))
      for (const one of provided) expect(meaningOf(stateIn(status), one)).toBeUndefined()
  })

  it('settles a payment at most once, in any order and however often it is told', () => {
    fc.assert(
      fc.property(fc.constantFrom('authorizing', 'capturing', 'voiding'), told, (status, all) => {
        let state = stateIn(status)
        let settled = 0
        for (const one of all) {
          const type = meaningOf(state, one)
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
    const all = { status: 'captured', captured: 5 } as const
    expect(strangenessOf(captured, { ...all, refunded: 3 })).toBeUndefined()
    expect(strangenessOf(captured, { ...all, refunded: 0 })).toBeUndefined()
    expect(strangenessOf(captured, { ...all, refunded: 4 })).toMatch(/more was refunded/)
    const voided = { status: 'voided', captured: 0, refunded: 0 } as const
    expect(strangenessOf(captured, voided)).toMatch(/^it was voided without/)
    const authorized: PaymentState = { ...opened(5), status: 'authorized' }
    expect(strangenessOf(authorized, { ...all, refunded: 0 })).toMatch(/^it was captured without/)
    expect(strangenessOf(authorized, { status: 'authorized', captured: 0, refunded: 0 })).toBeUndefined()
    const partly: PaymentState = { ...authorized, status: 'partly_captured', captured: 2 }
    expect(strangenessOf(partly, { status: 'authorized', captured: 2, refunded: 0 })).toBeUndefined()
    expect(strangenessOf(partly, { status: 'authorized', captured: 3, refunded: 0 })).toMatch(
      /^more was captured/,
    )
    expect(strangenessOf({ ...partly, status: 'captured' }, { ...voided, captured: 2 })).toBeUndefined()
  })
})
