import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createInstruments, type Collected } from './instruments.ts'
import { metrics } from './metrics.ts'
import { cardinalityLimit } from './series.ts'

type Histogram = Collected & { kind: 'histogram' }

/** Returns the only point of a histogram that was given these values. */
async function histogramOf(values: readonly number[]) {
  const instruments = createInstruments()
  for (const value of values) instruments.record('db.client.operation.duration', value)
  const [collected] = (await instruments.collect()) as Histogram[]
  return collected!.series[0]!.point
}

it('counts each value in the bucket of the smallest bound that is not below it', async () => {
  const { bounds } = metrics['db.client.operation.duration']
  const value = fc.oneof(fc.constantFrom(...bounds), fc.double({ min: 0, max: 20, noNaN: true }))
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1 }), async (values) => {
      const { count, sum, min, max, buckets } = await histogramOf(values)
      const lower = [-Infinity, ...bounds]
      const upper = [...bounds, Infinity]
      expect(buckets).toEqual(
        upper.map((bound, i) => values.filter((value) => value > lower[i]! && value <= bound).length),
      )
      expect(count).toBe(values.length)
      expect(buckets.reduce((all, each) => all + each, 0)).toBe(count)
      expect(sum).toBeCloseTo(values.reduce((all, each) => all + each, 0))
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)])
    }),
    { numRuns: 100 },
  )
})

it('adds up the same whether or not deltas had to be put back', async () => {
  const values = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(values, values, async (before, after) => {
      const instruments = createInstruments()
      const record = (value: number) => {
        instruments.record('messaging.process.duration', value, { 'zeroshop.reaction': 'confirm-order' })
        instruments.add('zeroshop.retries', 2, { reaction: 'confirm-order' })
      }
      before.forEach(record)
      instruments.putBack(await instruments.collect())
      after.forEach(record)
      const [counter, histogram] = await instruments.collect()
      expect(counter!.series[0]!.point).toEqual({ value: 2 * (before.length + after.length) })
      expect((histogram as Histogram).series[0]!.point.count).toBe(before.length + after.length)
      expect(await instruments.collect()).toEqual([])
    }),
    { numRuns: 50 },
  )
})

it('counts what exceeds the number of attribute sets together', async () => {
  const instruments = createInstruments()
  for (let n = 0; n < cardinalityLimit + 500; n++)
    instruments.add('zeroshop.orders.cancelled', 1, { reason: `${n}` })
  const [collected] = await instruments.collect()
  expect(collected!.series).toHaveLength(cardinalityLimit)
  expect(collected!.series.at(-1)).toMatchObject({
    attributes: { 'otel.metric.overflow': 'true' },
    point: { value: 501 },
  })
})

it('leaves out a gauge that cannot be read', async () => {
  const instruments = createInstruments()
  instruments.observe('zeroshop.outbox.lag', async () => Promise.reject(new Error('the database is away')))
  instruments.observe('zeroshop.outbox.unpublished', async () => [{ value: 3 }])
  expect(await instruments.collect()).toMatchObject([
    { name: 'zeroshop.outbox.unpublished', series: [{ point: { value: 3 } }] },
  ])
})

it('has no metric that could tell one customer, order or request from another', () => {
  const names = new Set(Object.values(metrics).flatMap(({ attributes }) => attributes))
  expect([...names].filter((name) => /id$|user|customer|email|address|ip|path|url\.full/.test(name))).toEqual(
    [],
  )
})
