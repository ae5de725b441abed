/**
 * Every metric of the shop. What it measures is recorded under its name here; dashboards, alerts and docs/telemetry.md are
 * made from it. Names, units and bounds are those of OpenTelemetry's semantic conventions where there are some.
 */

interface Described {
  /** As UCUM, the way OpenTelemetry writes units: `s`, or what is counted, such as `{order}`. */
  unit: string
  description: string
  /** The attributes that a point may have. Their values are few: no ids, nothing that a client chooses. */
  attributes: readonly string[]
}

/** Counters and histograms are sent as deltas, a gauge as its present value. */
export type Metric = Described &
  (
    | { kind: 'counter' | 'gauge' }
    /** The upper bounds of its buckets; each bound belongs to the bucket below it. */
    | { kind: 'histogram'; bounds: readonly number[] }
  )

/** In seconds, as the conventions for HTTP, messaging and functions say. */
const requestBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
/** In seconds, as the conventions for databases say. */
const queryBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
/** In seconds: an order is confirmed within a second, and shipped within a week. */
const orderBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400, 259_200, 604_800]

export const metrics = {
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'The duration of a request to a function, to the gateway or to the payment sandbox',
    attributes: [
      'zeroshop.function',
      'http.request.method',
      'http.route',
      'http.response.status_code',
      'url.scheme',
      'error.type',
    ],
    bounds: requestBounds,
  },
  'faas.coldstarts': {
    kind: 'counter',
    unit: '{coldstart}',
    description: 'Processes that have received their first request',
    attributes: ['faas.trigger'],
  },
  'faas.init_duration': {
    kind: 'histogram',
    unit: 's',
    description: 'The time from the start of a process until it listens',
    attributes: [],
    bounds: requestBounds,
  },
  'db.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'The duration of a query, as its process sees it',
    attributes: ['db.system.name', 'db.operation.name', 'error.type'],
    bounds: queryBounds,
  },
  'messaging.process.duration': {
    kind: 'histogram',
    unit: 's',
    description: 'How long a reaction takes to handle an event',
    attributes: [
      'zeroshop.reaction',
      'messaging.system',
      'messaging.operation.name',
      'messaging.destination.name',
      'error.type',
    ],
    bounds: requestBounds,
  },
  'zeroshop.orders.placed': {
    kind: 'counter',
    unit: '{order}',
    description: 'Orders that were placed',
    attributes: [],
  },
  'zeroshop.orders.confirmed': {
    kind: 'counter',
    unit: '{order}',
    description: 'Orders whose stock is reserved and whose payment is authorised',
    attributes: [],
  },
  'zeroshop.orders.completed': {
    kind: 'counter',
    unit: '{order}',
    description: 'Orders that are shipped and paid',
    attributes: [],
  },
  'zeroshop.orders.cancelled': {
    kind: 'counter',
    unit: '{order}',
    description: 'Orders that were cancelled',
    attributes: ['reason'],
  },
  'zeroshop.order.duration': {
    kind: 'histogram',
    unit: 's',
    description:
      'The time from the placing of an order until a step: confirmed, shipped, completed, cancelled',
    attributes: ['step'],
    bounds: orderBounds,
  },
  'zeroshop.revenue.captured': {
    kind: 'counter',
    unit: '{minor_unit}',
    description: 'What was captured, in minor units of the currency',
    attributes: ['currency'],
  },
  'zeroshop.revenue.refunded': {
    kind: 'counter',
    unit: '{minor_unit}',
    description: 'What was refunded, in minor units of the currency',
    attributes: ['currency'],
  },
  'zeroshop.stock.shortages': {
    kind: 'counter',
    unit: '{line}',
    description: 'Lines of orders that wanted more than the stock',
    attributes: [],
  },
  'zeroshop.outbox.lag': {
    kind: 'gauge',
    unit: 's',
    description: 'For how long the oldest event that is not published has been due',
    attributes: [],
  },
  'zeroshop.outbox.unpublished': {
    kind: 'gauge',
    unit: '{event}',
    description: 'Events that are due and not published',
    attributes: [],
  },
  'zeroshop.consumer.lag': {
    kind: 'gauge',
    unit: '{event}',
    description: 'Published events that a reaction has not acknowledged',
    attributes: ['reaction'],
  },
  'zeroshop.deliveries': {
    kind: 'counter',
    unit: '{event}',
    description:
      'Attempts to deliver an event to a reaction: handled, retried later or parked as a dead letter',
    attributes: ['reaction', 'outcome'],
  },
  'zeroshop.retries': {
    kind: 'counter',
    unit: '{event}',
    description: 'Deliveries that were attempted again after a failure',
    attributes: ['reaction'],
  },
  'zeroshop.dead_letters': {
    kind: 'gauge',
    unit: '{event}',
    description: 'Dead letters that were neither replayed nor dropped',
    attributes: ['reaction'],
  },
  'zeroshop.books.checks': {
    kind: 'counter',
    unit: '{check}',
    description: 'How often the books were checked for what must never be',
    attributes: [],
  },
  'zeroshop.books.violations': {
    kind: 'counter',
    unit: '{row}',
    description: 'Rows that a check of the books has found, each time that it has found them',
    attributes: ['check'],
  },
  'zeroshop.telemetry.dropped': {
    kind: 'counter',
    unit: '{item}',
    description: 'Spans and data points that were dropped, because the collector was away or slow',
    attributes: ['signal'],
  },
} as const satisfies Record<string, Metric>

type Metrics = typeof metrics
export type MetricName = keyof Metrics
export type OfKind<K extends Metric['kind']> = {
  [N in MetricName]: Metrics[N]['kind'] extends K ? N : never
}[MetricName]

/** The attributes of a point of a metric. */
export type AttributesOf<N extends MetricName> = Partial<
  Record<Metrics[N]['attributes'][number], string | number | undefined>
>
