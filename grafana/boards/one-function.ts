import {
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { board } from '../board.ts'
import { explore, sources } from '../sources.ts'
import { knative, knativeFunction } from '../others.ts'
import { lines, logs, units } from '../panels.ts'
import { histogram, quantile, rate, series, shop, sum } from '../prometheus.ts'

const chosen = '$function'
// the gateway of npm start measures the requests to functions, too
const requests = { 'zeroshop.function': chosen, 'service.name': '!=gateway' }
const events = { 'zeroshop.reaction': chosen }
const own = { 'service.name': chosen }
const pods = { [knativeFunction]: chosen }

const links = [
  { title: 'Its traces', url: explore(sources.traces, { queryType: 'search', service: '${function}' }) },
]

/** Operations are known by their requests, reactions by their events. */
const choice = (): Builder<VariableModel> => {
  const named = (of: string, label: string) =>
    `label_replace(${sum(of, label)}, "function", "$1", "${label.replaceAll('.', '_')}", "(.+)")`
  const all = `${named(histogram('http.server.request.duration', 'count'), 'zeroshop.function')} or ${named(histogram('messaging.process.duration', 'count'), 'zeroshop.reaction')}`
  return new QueryVariableBuilder('function')
    .label('Function')
    .datasource(sources.prometheus)
    .query({ query: `query_result(${sum(all, 'function')})`, refId: 'functions', qryType: 3 })
    .regex('/function="([^"]+)"/')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
}

const percentiles = (buckets: string) =>
  Object.fromEntries([0.5, 0.95, 0.99].map((q) => [`p${q * 100}`, quantile(q, buckets)]))

export const oneFunction = () =>
  board({
    uid: 'zeroshop-function',
    title: 'One function',
    description: 'All that is known of one function. A reaction has events where an operation has requests.',
    variables: [choice()],
    rows: {
      'Requests and events': [
        lines({
          question: 'How many requests does it serve?',
          nothing: 'No requests.',
          description: 'Each second, by the status of the answer.',
          unit: units.perSecond,
          isStacked: true,
          span: 8,
          links,
          queries: {
            '{{http_response_status_code}}': sum(
              rate(histogram('http.server.request.duration', 'count', requests)),
              'http.response.status_code',
            ),
          },
        }),
        lines({
          question: 'How long does a request take?',
          nothing: 'No requests.',
          description: 'As the function sees it: a cold start and the wait for a free place come on top.',
          unit: units.seconds,
          limits: { bad: 1 },
          span: 8,
          links,
          queries: percentiles(histogram('http.server.request.duration', 'bucket', requests)),
        }),
        lines({
          question: 'Why do requests fail?',
          description: 'Each second, by the class of the error.',
          unit: units.perSecond,
          nothing: 'None fails.',
          span: 8,
          links,
          queries: {
            '{{error_type}}': sum(
              rate(histogram('http.server.request.duration', 'count', { ...requests, 'error.type': '!=' })),
              'error.type',
            ),
          },
        }),
        lines({
          question: 'How many events does it handle?',
          nothing: 'No events.',
          description: 'Each second, by error; without one if it was handled.',
          unit: units.events,
          span: 8,
          links,
          queries: {
            'handled {{error_type}}': sum(
              rate(histogram('messaging.process.duration', 'count', events)),
              'error.type',
            ),
          },
        }),
        lines({
          question: 'How long does an event take?',
          nothing: 'No events.',
          description: 'Without the wait for its turn.',
          unit: units.seconds,
          limits: { bad: 1 },
          span: 8,
          links,
          queries: percentiles(histogram('messaging.process.duration', 'bucket', events)),
        }),
        lines({
          question: 'Does it lag behind, or fail?',
          nothing: 'No events.',
          description: 'Events that it has not handled, retries a minute, and dead letters.',
          unit: units.count,
          span: 8,
          links,
          queries: {
            'not handled': sum(shop('zeroshop.consumer.lag', { reaction: chosen })),
            'retries a minute': `60 * ${sum(rate(shop('zeroshop.retries', { reaction: chosen })))}`,
            'dead letters': sum(shop('zeroshop.dead_letters', { reaction: chosen })),
          },
        }),
      ],
      'What it needs': [
        lines({
          question: 'How long do its queries take?',
          description: 'p50 and p95 by operation.',
          unit: units.seconds,
          limits: { warn: 0.1, bad: 1 },
          span: 8,
          links,
          queries: Object.fromEntries(
            [0.5, 0.95].map((q) => [
              `p${q * 100} {{db_operation_name}}`,
              quantile(q, histogram('db.client.operation.duration', 'bucket', own), ['db.operation.name']),
            ]),
          ),
        }),
        lines({
          question: 'How long does it take to start?',
          description: 'From the start of its process until it listens.',
          unit: units.seconds,
          limits: { bad: 1 },
          span: 8,
          links,
          queries: {
            p50: quantile(0.5, histogram('faas.init_duration', 'bucket', own)),
            p95: quantile(0.95, histogram('faas.init_duration', 'bucket', own)),
          },
        }),
        lines({
          question: 'How often does it start?',
          description: 'Processes a minute, and those whose start a request waited for.',
          unit: units.perMinute,
          span: 8,
          links,
          queries: {
            started: `60 * ${sum(rate(histogram('faas.init_duration', 'count', own)))}`,
            'waited for': `60 * ${sum(rate(shop('faas.coldstarts', own)))}`,
          },
        }),
        lines({
          question: 'How many pods does it have?',
          description: 'And how many the autoscaler wants. On a cluster only.',
          unit: units.count,
          links,
          queries: {
            pods: sum(series(knative('kn.revision.pods.count'), pods)),
            wanted: sum(series(knative('kn.revision.pods.desired'), pods)),
          },
        }),
        lines({
          question: 'How many requests run at once?',
          description:
            'On average, over the stable and the panic window, against the target. On a cluster only.',
          unit: units.count,
          links,
          queries: {
            stable: sum(series(knative('kn.revision.concurrency.stable'), pods)),
            panic: sum(series(knative('kn.revision.concurrency.panic'), pods)),
            target: sum(series(knative('kn.revision.concurrency.target'), pods)),
          },
        }),
        logs('function:="$function"', {
          question: 'What does it say?',
          description: 'Its log. A line with a trace_id leads to its trace.',
          unit: units.count,
          span: 24,
          height: 10,
        }),
      ],
    },
  })
