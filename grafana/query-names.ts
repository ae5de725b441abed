/** Which metrics queries read, for the tests of dashboards and alerts. */
import { metrics, type Metric } from '../functions/shared/telemetry/metrics.ts'
import * as others from './others.ts'
import { prometheusName } from './prometheus.ts'

/** Returns the names of the series of a metric. */
function namesOf(name: string, metric: Pick<Metric, 'kind' | 'unit'>): string[] {
  const full = prometheusName(name, metric)
  return metric.kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((part) => full + part) : [full]
}

/** The names that a query may read: ours, and those that other programs are known to have. */
export const knownNames: ReadonlySet<string> = new Set([
  ...Object.entries({ ...metrics, ...others.knativeMetrics }).flatMap(([name, metric]) =>
    namesOf(name, metric),
  ),
  ...[others.gateway, others.kubernetes, others.kubelet, others.volumes, others.postgres].flatMap(
    Object.values<string>,
  ),
  ...[others.pgbouncer, others.nats, others.probe, others.prometheus].flatMap(Object.values<string>),
  ...[others.gateway.request, others.gateway.response].flatMap((name) => [`${name}_bucket`, `${name}_count`]),
])

/** The names that only a cluster has: Knative's, those of kube-state-metrics, and those of the kubelets. */
export const clusterNames: ReadonlySet<string> = new Set([
  ...Object.entries(others.knativeMetrics).flatMap(([name, metric]) => namesOf(name, metric)),
  ...Object.values(others.kubernetes),
  ...Object.values(others.kubelet),
])

/** Whether a query can have data on a cluster only. */
export const isOfCluster = (query: string) => namesIn(query).every((name) => clusterNames.has(name))

/** Returns the selectors of the series that a query reads, with their conditions. */
export const selectorsIn = (query: string): string[] => [
  ...new Set(
    namesIn(query).flatMap(
      (name) => query.match(new RegExp(`\\b${name}\\b(?:\\{${condition}*\\})?`, 'g')) ?? [],
    ),
  ),
]

/** A character of the conditions of a selector, or a string among them. */
const condition = String.raw`(?:[^}"]|"(?:[^"\\]|\\.)*")`

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
