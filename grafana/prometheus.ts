/**
 * What the shop's metrics are called in Prometheus, and the queries that are made of them. The names are written down
 * once, in functions/shared/telemetry/metrics.ts.
 */
import { metrics, type Metric, type MetricName, type OfKind } from '../functions/shared/telemetry/metrics.ts'

/** The endings that Prometheus' names have for OpenTelemetry's units. What is counted, such as `{order}`, has none. */
const unitEndings: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' }

const underscored = (name: string) => name.replaceAll(/\W/g, '_')

/**
 * Returns the name under which the collector's exporter shows a metric to Prometheus
 * (https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus).
 */
export function prometheusName(name: string, { kind, unit }: Pick<Metric, 'kind' | 'unit'>): string {
  const ending = unitEndings[unit]
  return [
    underscored(name),
    ...(ending === undefined ? [] : [ending]),
    ...(kind === 'counter' ? ['total'] : []),
  ].join('_')
}

/** Returns the label that an attribute becomes. */
export const label = underscored

/** The attributes that every series has, because they describe its process. */
export type ProcessAttribute = 'service.name'

/**
 * Which series are meant: a value of each label. A value may begin with the operator `!=`, `=~` or `!~`; otherwise it
 * is compared as it is.
 */
export type Where<L extends string = string> = Readonly<Partial<Record<L, string>>>

type AttributeOf<N extends MetricName> = (typeof metrics)[N]['attributes'][number] | ProcessAttribute

/** Returns the series of a metric, by its name in Prometheus. */
export function series(name: string, where: Where = {}): string {
  const conditions = Object.entries(where).map(([attribute, value = '']) => {
    const [, operator = '=', operand = ''] = /^(!=|=~|!~)?(.*)$/s.exec(value)!
    return `${label(attribute)}${operator}${JSON.stringify(operand)}`
  })
  return conditions.length === 0 ? name : `${name}{${conditions.join(', ')}}`
}

/** Returns the series of one of the shop's counters or gauges. */
export const shop = <N extends Exclude<MetricName, OfKind<'histogram'>>>(
  name: N,
  where?: Where<AttributeOf<N>>,
): string => series(prometheusName(name, metrics[name]), where)

/** Returns the series of one of the shop's histograms: its buckets, the count of its values, or their sum. */
export const histogram = <N extends OfKind<'histogram'>>(
  name: N,
  part: 'bucket' | 'count' | 'sum',
  where?: Where<AttributeOf<N> | 'le'>,
): string => series(`${prometheusName(name, metrics[name])}_${part}`, where)

/** Returns the condition on `le` for a bound. Prometheus 3 writes 1.0 where Prometheus 2 writes 1. */
export const bound = (value: number) => (Number.isInteger(value) ? `=~${value}(\\.0)?` : `${value}`)

/** As long as Grafana finds that a rate needs. */
const enough = '$__rate_interval'

export const rate = (of: string, over = enough) => `rate(${of}[${over}])`
export const increase = (of: string, over = enough) => `increase(${of}[${over}])`

/** Returns the sum of series, one for each value of the attributes. */
export const sum = (of: string, ...by: string[]) => `sum${grouped(by)}(${of})`
export const max = (of: string, ...by: string[]) => `max${grouped(by)}(${of})`

/** Returns how many series there are. */
export const count = (of: string) => `count(${of})`

const grouped = (by: readonly string[]) => (by.length === 0 ? '' : ` by (${by.map(label).join(', ')}) `)

/** Returns a quantile of a histogram, one for each value of the attributes. */
export const quantile = (q: number, buckets: string, by: readonly string[] = [], over = enough) =>
  `histogram_quantile(${q}, ${sum(rate(buckets, over), 'le', ...by)})`

/** Returns an expression, or 0 where it has no series: what has not been counted yet has not happened. */
export const orZero = (of: string) => `(${of} or vector(0))`

/** Returns a share. It has no value while the total is 0. */
export const share = (of: string, total: string) => `${of} / (${total} > 0)`
