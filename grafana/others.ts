/**
 * The metrics of the programs beside the functions, as far as dashboards and alerts use them, by who exports them.
 */
import { prometheusName } from './prometheus.ts'

/** Caddy's own, at the gateway. `handler` is the outermost, so that a request counts once. */
export const gateway = {
  /** From the first byte of a request to the last of its answer; of an event stream, minutes. */
  request: 'caddy_http_request_duration_seconds',
  /** From the first byte of a request to the first of its answer. Answers of the gateway itself are left out. */
  response: 'caddy_http_response_duration_seconds',
  inFlight: 'caddy_http_requests_in_flight',
  reloaded: 'caddy_config_last_reload_successful',
} as const

/** The requests of customers, without Prometheus' own. */
export const ofCustomers = { server: '!=metrics', handler: 'subroute' } as const

const gauge = (unit: string) => ({ kind: 'gauge', unit }) as const
const histogram = { kind: 'histogram', unit: 's' } as const

export const knativeMetrics = {
  'kn.revision.pods.count': gauge('{pod}'),
  'kn.revision.pods.desired': gauge('{item}'),
  'kn.revision.pods.requested': gauge('{pod}'),
  'kn.revision.pods.not_ready.count': gauge('{pod}'),
  'kn.revision.pods.pending.count': gauge('{pod}'),
  'kn.revision.pods.terminating.count': gauge('{pod}'),
  'kn.revision.panic.mode': gauge(''),
  'kn.revision.concurrency.stable': gauge('{concurrency}'),
  'kn.revision.concurrency.panic': gauge('{concurrency}'),
  'kn.revision.concurrency.target': gauge('{concurrency}'),
  'kn.revision.request.concurrency': gauge('{request}'),
  'kn.serving.invocation.duration': histogram,
  'kn.serving.queue.depth': gauge('{request}'),
} as const
export type KnativeName = keyof typeof knativeMetrics

/** Knative's own, which its autoscaler, activator and queue-proxies push to the collector. */
export const knative = (name: KnativeName) => prometheusName(name, knativeMetrics[name])

/** The attribute with the function's name in Knative's metrics. */
export const knativeFunction = 'kn.service.name'

/** Of kube-state-metrics. */
export const kubernetes = {
  hpaReplicas: 'kube_horizontalpodautoscaler_status_current_replicas',
  hpaDesired: 'kube_horizontalpodautoscaler_status_desired_replicas',
  hpaMax: 'kube_horizontalpodautoscaler_spec_max_replicas',
  podCreated: 'kube_pod_created',
  podScheduled: 'kube_pod_status_scheduled_time',
  podInitialized: 'kube_pod_status_initialized_time',
  podContainersReady: 'kube_pod_status_container_ready_time',
  podReady: 'kube_pod_status_ready_time',
} as const

/** Of the kubelets. */
export const kubelet = {
  volumeFree: 'kubelet_volume_stats_available_bytes',
  volumeUsed: 'kubelet_volume_stats_used_bytes',
} as const

/** Of node-exporter, which sees only the volumes that are mounted into it. */
export const volumes = {
  free: 'node_filesystem_avail_bytes',
  /** With what is reserved for root. */
  freeToRoot: 'node_filesystem_free_bytes',
  size: 'node_filesystem_size_bytes',
} as const

/** Of postgres_exporter. */
export const postgres = {
  up: 'pg_up',
  backends: 'pg_stat_activity_count',
  longestTransaction: 'pg_stat_activity_max_tx_duration',
  maxConnections: 'pg_settings_max_connections',
  commits: 'pg_stat_database_xact_commit',
  rollbacks: 'pg_stat_database_xact_rollback',
  deadlocks: 'pg_stat_database_deadlocks',
  blocksRead: 'pg_stat_database_blks_read',
  blocksHit: 'pg_stat_database_blks_hit',
  size: 'pg_database_size_bytes',
} as const

/** Of pgbouncer_exporter. */
export const pgbouncer = {
  up: 'pgbouncer_up',
  clientsActive: 'pgbouncer_pools_client_active_connections',
  clientsWaiting: 'pgbouncer_pools_client_waiting_connections',
  serversActive: 'pgbouncer_pools_server_active_connections',
  serversIdle: 'pgbouncer_pools_server_idle_connections',
  longestWait: 'pgbouncer_pools_client_maxwait_seconds',
} as const

/** Of prometheus-nats-exporter. */
export const nats = {
  connections: 'gnatsd_varz_connections',
  memory: 'gnatsd_varz_mem',
  messagesIn: 'gnatsd_varz_in_msgs',
  messagesOut: 'gnatsd_varz_out_msgs',
  slowConsumers: 'gnatsd_varz_slow_consumers',
  storage: 'jetstream_server_total_message_bytes',
  maxStorage: 'jetstream_server_max_storage',
  messages: 'jetstream_stream_total_messages',
  pending: 'jetstream_consumer_num_pending',
  unacknowledged: 'jetstream_consumer_num_ack_pending',
} as const

/** Of blackbox_exporter, which calls the gateway from outside. */
export const probe = {
  succeeded: 'probe_success',
  certificateEnds: 'probe_ssl_earliest_cert_expiry',
} as const

/** Prometheus' own. */
export const prometheus = { up: 'up', alerts: 'ALERTS' } as const
