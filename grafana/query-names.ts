/** Which metrics queries read, for the tests of dashboards and alerts. */
import { metrics, type Metric } from '../functions/shared/telemetry/metrics.ts'
import * as others from './others.ts'
import { prometheusName } from './prometheus.ts'

/** The names that a query may read: ours, and those that other programs are known to have. */
export const knownNames: ReadonlySet<string> = new Set([
  ...Object.entries<Pick<Metric, 'kind' | 'unit'>>({ ...metrics, ...others.knativeMetrics }).flatMap(
    ([name, metric]) => {
      const full = prometheusName(name, metric)
      return metric.kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((part) => full + part) : [full]
    },
  ),
  ...[others.gateway, others.kubernetes, others.kubelet, others.volumes, others.postgres].flatMap(
    Object.values<string>,
  ),
  ...[others.pgbouncer, others.nats, others.probe, others.prometheus].flatMap(Object.values<string>),
  ...[others.gateway.request, others.gateway.response].flatMap((name) => [`${name}_bucket`, `${name}_count`]),
])

/** Returns the names of the series that a query reads: words with an underscore outside of labels, times, quotes and
 * `by`. */
export function namesIn(query: string): string[] {
  const bare = query
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|on|group_left) \([^)]*\)/g, '')
  // the name of a function is followed by its parameters
  return [...bare.matchAll(/\b(?:[a-z]+(?:_[a-z_]+)+|up|ALERTS)\b(?!\()/g)].map(([word]) => word)
}
