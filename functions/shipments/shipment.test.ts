import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextOf, parcelStatuses, type ParcelEvent } from './parcel.ts'
import { holderOf, isAll, next, pack, packedOf, statuses, type ShipmentEvent } from './shipment.ts'

const sku = fc.constantFrom('MUG', 'SAW', 'LAMP')
const lines = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 20 }) }), {
  minLength: 1,
  maxLength: 6,
})
const packing = fc.array(
  fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 25 }) }), { minLength: 1, maxLength: 4 }),
  { maxLength: 12 },
)

const sumOf = (items: readonly { sku: string; quantity: number }[], which: string) =>
  items.reduce((sum, { sku, quantity }) => sum + (sku === which ? quantity : 0), 0)

describe('packing', () => {
  it('never takes more of a SKU, or of a line, than was ordered, and takes just what was asked for', () => {
    fc.assert(
      fc.property(lines, packing, (lines, wanted) => {
        const parcels: Parameters<typeof packedOf>[0][number][] = []
        for (const items of wanted) {
          const packed = pack(lines, packedOf(parcels), items)
          if ('left' in packed) continue
          for (const { sku } of lines) expect(sumOf(packed, sku)).toBe(sumOf(items, sku))
          parcels.push({ status: 'packed', packed })
        }
        const all = packedOf(parcels)
        for (const [line, { quantity }] of lines.entries())
          expect(all.get(line) ?? 0).toBeLessThanOrEqual(quantity)
        for (const { sku } of lines)
          expect(
            sumOf(
              parcels.flatMap(({ packed }) => packed),
              sku,
            ),
          ).toBeLessThanOrEqual(sumOf(lines, sku))
      }),
    )
  })

  it('says how many are left if there are not so many', () => {
    const mugs = [{ sku: 'MUG', quantity: 2 }]
    expect(pack(mugs, new Map([[0, 1]]), [{ sku: 'MUG', quantity: 2 }])).toEqual({
      index: 0,
      sku: 'MUG',
      left: 1,
    })
    expect(pack(mugs, new Map(), [{ sku: 'SAW', quantity: 1 }])).toMatchObject({ left: 0 })
  })

  it('takes a SKU that is in several lines from the first of them on', () => {
    const twice = [
      { sku: 'MUG', quantity: 2 },
      { sku: 'SAW', quantity: 1 },
      { sku: 'MUG', quantity: 3 },
    ]
    const first = pack(twice, new Map(), [{ sku: 'MUG', quantity: 4 }])
    expect(first).toEqual([
      { line: 0, sku: 'MUG', quantity: 2 },
      { line: 2, sku: 'MUG', quantity: 2 },
    ])
    expect(
      isAll(
        twice,
        new Map([
          [0, 2],
          [1, 1],
          [2, 3],
        ]),
      ),
    ).toBe(true)
    expect(
      isAll(
        twice,
        new Map([
          [0, 2],
          [2, 3],
        ]),
      ),
    ).toBe(false)
  })
})

describe('a shipment', () => {
  const after = (...events: ShipmentEvent[]) =>
    events.reduce<(typeof statuses)[number] | undefined>(
      (status, event) => status && next(status, event),
      'placed',
    )

  it('waits once its order is confirmed, whichever is heard first', () => {
    expect(after('confirm')).toBe('waiting')
    expect(next('confirmed', 'place')).toBe('waiting')
  })

  it('is packed only while it is taken, and shipped once all is', () => {
    expect(after('confirm', 'pack-all')).toBeUndefined()
    expect(after('confirm', 'take', 'pack-all')).toBe('packed')
    expect(after('confirm', 'take', 'pack-all', 'ship-all')).toBe('shipped')
    expect(after('confirm', 'take', 'pack-all', 'unpack')).toBe('waiting')
  })

  it('leaves the queue when its order is cancelled, wherever it is', () => {
    for (const status of statuses.filter((one) => one !== 'cancelled'))
      expect(next(status, 'cancel')).toBe('cancelled')
    expect(Object.values(statuses).filter((status) => next('cancelled', 'take') === status)).toEqual([])
  })

  it('is held until the time is up, and not a moment longer', () => {
    const until = new Date('2027-01-01T12:30:00Z')
    const row = { status: 'taken' as const, workerId: 'w', takenUntil: until }
    expect(holderOf(row, new Date('2027-01-01T12:29:59Z'))).toBe('w')
    expect(holderOf(row, until)).toBeUndefined()
    expect(holderOf({ ...row, status: 'waiting' }, new Date(0))).toBeUndefined()
  })
})

describe('a parcel', () => {
  it('is shipped once, and then delivered, failed or recalled', () => {
    const events: ParcelEvent[] = ['ship', 'unpack', 'deliver', 'fail', 'cancel']
    expect(parcelStatuses.map((status) => [status, events.map((event) => nextOf(status, event))])).toEqual([
      ['packed', ['shipped', 'cancelled', undefined, undefined, 'cancelled']],
      ['shipped', [undefined, undefined, 'delivered', 'failed', 'recalled']],
      ...['delivered', 'failed', 'recalled', 'cancelled'].map((status) => [status, Array(5).fill(undefined)]),
    ])
  })
})
