import { metrics, type AttributesOf, type Metric, type MetricName, type OfKind } from './metrics.ts'
import { createSeries, type PointAttributes, type Series } from './series.ts'

/** The value of a gauge at the moment. */
export interface Reading<N extends MetricName = MetricName> {
  value: number
  attributes?: AttributesOf<N>
}

export interface CounterPoint {
  value: number
}

export interface HistogramPoint {
  count: number
  sum: number
  min: number
  max: number
  /** The number of values up to each bound, and of those above the last. */
  buckets: number[]
}

/** What a metric has measured since it was last collected; a gauge, at the moment. */
export type Collected = { name: MetricName; metric: Metric } & (
  | { kind: 'counter' | 'gauge'; series: readonly Series<CounterPoint>[] }
  | { kind: 'histogram'; series: readonly Series<HistogramPoint>[] }
)

/** How long the readings of gauges may take, in ms. */
const readWithinMs = 2_000

export type Instruments = ReturnType<typeof createInstruments>

/** Returns the instruments of a process, which record what the table names. */
export function createInstruments(limit?: number) {
  const counters = new Map<MetricName, ReturnType<typeof createSeries<CounterPoint>>>()
  const histograms = new Map<MetricName, ReturnType<typeof createSeries<HistogramPoint>>>()
  const gauges = new Map<MetricName, () => Promise<readonly Reading[]>>()

  const counter = (name: MetricName) =>
    getOrAdd(counters, name, () => createSeries(metrics[name].attributes, () => ({ value: 0 }), limit))
  const histogram = (name: OfKind<'histogram'>) =>
    getOrAdd(histograms, name, () =>
      createSeries(metrics[name].attributes, () => emptyHistogram(metrics[name].bounds.length), limit),
    )

  async function read(name: MetricName, ask: () => Promise<readonly Reading[]>): Promise<Collected[]> {
    try {
      const readings = await within(readWithinMs, ask())
      const series = readings.map(({ value, attributes = {} }, i) => ({
        key: `${i}`,
        attributes: attributes as PointAttributes,
        point: { value },
      }))
      return [{ name, metric: metrics[name], kind: 'gauge', series }]
    } catch {
      // a store is away: the gauge has a gap
      return []
    }
  }

  return {
    add: <N extends OfKind<'counter'>>(name: N, value = 1, attributes: AttributesOf<N> = {}): void => {
      counter(name).of(attributes).value += value
    },
    record: <N extends OfKind<'histogram'>>(name: N, value: number, attributes: AttributesOf<N> = {}): void =>
      put(histogram(name).of(attributes), metrics[name].bounds, value),
    /** Has a gauge read whenever metrics are collected. */
    observe: <N extends OfKind<'gauge'>>(name: N, ask: () => Promise<readonly Reading<N>[]>): void => {
      gauges.set(name, ask)
    },
    /** Returns what was measured since the last call. */
    collect: async ({ withGauges = true } = {}): Promise<Collected[]> => {
      const readings = withGauges ? await Promise.all([...gauges].map(([name, ask]) => read(name, ask))) : []
      const counted = [...counters].map(([name, series]): Collected => ({
        name,
        metric: metrics[name],
        kind: 'counter',
        series: series.take(),
      }))
      const recorded = [...histograms].map(([name, series]): Collected => ({
        name,
        metric: metrics[name],
        kind: 'histogram',
        series: series.take(),
      }))
      return [...readings.flat(), ...counted, ...recorded].filter(({ series }) => series.length > 0)
    },
    /** Adds deltas that were collected, but have not arrived. */
    putBack: (collected: readonly Collected[]): void => {
      for (const each of collected)
        if (each.kind === 'counter')
          counter(each.name).putBack(each.series, (into, { value }) => (into.value += value))
        else if (each.kind === 'histogram')
          histogram(each.name as OfKind<'histogram'>).putBack(each.series, merge)
    },
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const created = create()
  map.set(key, created)
  return created
}

const emptyHistogram = (bounds: number): HistogramPoint => ({
  count: 0,
  sum: 0,
  min: Infinity,
  max: -Infinity,
  buckets: Array.from({ length: bounds + 1 }, () => 0),
})

function put(point: HistogramPoint, bounds: readonly number[], value: number) {
  let bucket = 0
  while (bucket < bounds.length && value > bounds[bucket]!) bucket++
  point.buckets[bucket]!++
  point.count++
  point.sum += value
  if (value < point.min) point.min = value
  if (value > point.max) point.max = value
}

function merge(into: HistogramPoint, { count, sum, min, max, buckets }: HistogramPoint) {
  into.count += count
  into.sum += sum
  into.min = Math.min(into.min, min)
  into.max = Math.max(into.max, max)
  buckets.forEach((number, i) => (into.buckets[i]! += number))
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, ms, new Error('too late'))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
