/** Makes the charts of a recording. Pure. */
import { quantile } from '../../functions/shared/quantile.ts'
import type { Chart, Series } from './chart.ts'
import { bySecond, formatMs, inFlightAt, smooth, times } from './numbers.ts'
import { coursesOf, type Course, type Recording } from './recording.ts'
import type { ScalingClass } from './source.ts'

export interface PartChart {
  chart: Chart
  /** Short phrases. */
  facts: string[]
}

export interface Charts {
  overview: Chart[]
  parts: Record<ScalingClass, PartChart[]>
}

const large = { width: 560, height: 210 }
const small = { width: 360, height: 120 }

export function chartsOf({ load, samples, began, seconds }: Recording): Charts {
  const courses = coursesOf(samples)
  const at = samples.map((sample) => (sample.at - began) / 1000)
  const span = { from: Math.min(0, at[0] ?? 0), to: Math.max(seconds, at.at(-1) ?? 0), end: seconds }
  const every = bySecond(load.sent, load.unsent, seconds)
  // the value of a second is drawn in its middle
  const middles = every.map((_, n) => n + 0.5)
  const byName = Map.groupBy(load.sent, ({ name }) => name)

  const due = smooth(every.map(({ due }) => due))
  const shape: Series = {
    label: 'load',
    look: 'load',
    at: [0, ...middles, seconds],
    values: [due[0], ...due, due.at(-1)],
    draw: 'shape',
  }
  const line = (label: string, look: Series['look'], values: (number | undefined)[]): Series => ({
    label,
    look,
    at: middles,
    values,
    draw: 'line',
  })
  const pods = (look: 'ready' | 'desired', values: number[]): Series => ({
    label: `${look} pods`,
    look,
    at,
    values,
    draw: 'steps',
  })
  const linear = { ...span, scale: 'linear' as const, format: String }

  return {
    overview: overview(),
    parts: { kpa: partsOf('kpa'), hpa: partsOf('hpa'), always: partsOf('always') },
  }

  function overview(): Chart[] {
    const functions = courses.filter(({ class: kind }) => kind !== 'always')
    const total = (of: 'ready' | 'desired') =>
      samples.map((_, n) => functions.reduce((sum, course) => sum + course[of][n]!, 0))
    const [ready, desired] = [total('ready'), total('desired')]
    const halves = Array.from(
      { length: Math.ceil(2 * (span.to - span.from)) + 1 },
      (_, n) => span.from + n / 2,
    )
    const flying = inFlightAt(halves, load.sent)
    const failed = every.map(({ failed, unsent }) => failed + unsent)
    return [
      {
        ...linear,
        ...large,
        title: 'Requests a second',
        top: 1.05 * Math.max(5, ...every.map(({ due }) => due)),
        series: [
          line(
            'due',
            'due',
            every.map(({ due }) => due),
          ),
          line(
            'answered',
            'good',
            every.map(({ good }) => good),
          ),
          ...(failed.some((n) => n > 0) ? [line('failed or not sent', 'failed', failed)] : []),
        ],
      },
      {
        ...span,
        ...large,
        title: 'Latency, from when a request was due',
        top: 1.2 * Math.max(1000, ...every.map(({ p99 }) => p99 ?? 0)),
        scale: 'log',
        format: formatMs,
        series: (['p50', 'p90', 'p99'] as const).map((q) =>
          line(
            q,
            q,
            every.map((one) => one[q]),
          ),
        ),
      },
      {
        ...linear,
        ...large,
        title: 'Pods of all functions that scale',
        top: 1.05 * Math.max(3, ...ready, ...desired),
        series: [shape, pods('ready', ready), pods('desired', desired)],
      },
      {
        ...linear,
        ...large,
        title: 'Requests in flight',
        top: 1.05 * Math.max(5, ...flying),
        series: [shape, { label: 'in flight', look: 'flying', at: halves, values: flying, draw: 'line' }],
      },
    ]
  }

  function partsOf(kind: ScalingClass): PartChart[] {
    const members = courses.filter((course) => course.class === kind)
    // all charts share a scale, so that a pod has the same height in each
    const top = 1.05 * Math.max(2, ...members.flatMap(({ ready, desired }) => [...ready, ...desired]))
    return members.map((course) => ({
      chart: {
        ...linear,
        ...small,
        title: course.name,
        top,
        series: [shape, pods('ready', course.ready), pods('desired', course.desired)],
      },
      facts: factsOf(course),
    }))
  }

  function factsOf({ name, ready, concurrency, cpu, last }: Course): string[] {
    const sent = byName.get(name) ?? []
    const most = Math.max(0, ...concurrency.map((n) => n ?? 0), ...inFlightAt(at, sent))
    const latency = (q: number) => formatMs(quantile(times(sent), q))
    return [
      `max ${plural(Math.max(0, ...ready), 'pod')}`,
      ...(most > 0 ? [`${most} at once`] : []),
      ...(last.cpu === undefined
        ? []
        : [`max ${Math.max(...cpu.map((now) => now ?? 0))} % CPU (target: ${last.cpu.target} %)`]),
      ...(sent.length === 0 ? [] : [`p50 ${latency(0.5)}`, `p99 ${latency(0.99)}`]),
    ]
  }
}

export const plural = (n: number, what: string) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`
