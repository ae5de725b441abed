import { settings, telemetrySettings } from '../functions/shared/process/config.ts'
import { metrics, type Metric } from '../functions/shared/telemetry/metrics.ts'
import { table } from './function-table.ts'

/** Returns docs/telemetry.md: how metrics and traces are switched on, and what there is. */
export const telemetryPage =
  (): string => `<!-- Made from the tables of settings and metrics by npm run generate (docs/telemetry-page.ts). -->

# Telemetry

Each process sends its metrics and spans to a collector of [OpenTelemetry](https://opentelemetry.io), if one is named:

\`\`\`sh
OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 npm start
\`\`\`

They are pushed, because a function may live for less time than passes between two scrapes: every ten seconds, and when the process ends. Without a collector, the processes of \`npm start\` send every five seconds to [its console](commands.md#the-console), which shows their spans. The format is OTLP over HTTP in JSON, at \`/v1/metrics\` and \`/v1/traces\`. Counters and histograms are deltas, so whatever stores totals has to add them up, such as the collector’s \`deltatocumulative\`. No process has a \`service.instance.id\`: the points of all processes of a function add up.

In containers, \`OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 npm run compose\` passes the settings on to the functions, the relay, the dispatcher and the payment sandbox, whose networks must have the collector. On a cluster, they are literals of \`settings\` in an overlay; a header with a secret is better mounted, and named by \`OTEL_EXPORTER_OTLP_HEADERS_FILE\`.

A collector that is away or slow costs no request anything. A process keeps up to 1,024 spans, and the points of a metric for up to 2,000 sets of attributes; more of them are counted with \`otel.metric.overflow\`. What the collector does not take is sent again, and what there is no room for is dropped and counted in \`zeroshop.telemetry.dropped\`. A span for which there is no room is not recorded together with all that it causes, so that no recorded span lacks its parent. At the end, a process waits up to half a second.

## Settings

The names and values are those of [OpenTelemetry’s specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). The samplers are \`always_on\`, \`always_off\` and \`traceidratio\`, each also as \`parentbased_…\`, which follows the client’s decision.

${table(
  ['setting', 'what it is'],
  telemetrySettings.map((name) => [`\`${name}\``, settings[name]!]),
)}

## Traces

A trace leads from the client’s request through everything that it causes:

\`\`\`
POST /api/v1/orders                         gateway (npm start; Caddy passes the client’s traceparent on)
├─ cold start create-order                  from the start of the process until it listens
└─ POST /api/v1/orders                      create-order
   ├─ WITH postgresql                       the order and its event
   └─ publish order.placed                  relay
      └─ deliver reserve-stock              dispatcher
         ├─ wake authorize-payment          starts what comes next
         │  └─ cold start authorize-payment
         └─ POST /                          reserve-stock
            └─ process order.placed
               ├─ INSERT postgresql
               └─ publish stock.reserved    relay, and so on to confirm-order
\`\`\`

- A request continues the trace of its \`traceparent\` ([W3C Trace Context](https://www.w3.org/TR/trace-context/)), or begins one. Its answer has the id of the trace in \`X-Trace-Id\`.
- An event carries the context of its \`publish\`. If a delivery has several events, each \`process\` is below its own \`publish\`, and linked to the request.
- A trace ends with what is published within ten minutes. A later event, such as a deadline, begins a new trace that is linked to the first. The shipment and what follows from it are linked to the trace in which the order was placed.
- A span of an order’s step has the order’s id as \`zeroshop.order.id\`. A span that failed says with which status or class of errors, and never the message, which may contain personal data. No span has a body, a header, a query’s text or its parameters.

## Logs

Each line of the log that is written while a request or an event is handled has \`trace_id\`, \`span_id\` and \`request_id\`, beside \`function\`. \`LOG_REQUESTS=true\` adds a line for each request, with its method, route, status and duration; it needs no collector.

## What it costs

\`npm run bench -- telemetry\` measures get-order with and without it. A process sends up to some 2,000 spans a second, and drops those of further requests as a whole; \`OTEL_TRACES_SAMPLER=parentbased_traceidratio\` with \`OTEL_TRACES_SAMPLER_ARG=0.1\` records a tenth.

## Metrics

The resource of each process has \`service.name\` and \`faas.name\`, the name of the function or service, \`service.namespace\`, \`service.version\` and, on Knative, the revision as \`faas.version\`. No attribute identifies a person, an order or a request.

${table(
  ['metric', 'kind', 'unit', 'what it measures', 'attributes'],
  Object.entries<Metric>(metrics).map(([name, { kind, unit, description, attributes }]) => [
    `\`${name}\``,
    kind,
    `\`${unit}\``,
    description,
    attributes.map((attribute) => `\`${attribute}\``).join(' '),
  ]),
)}
`
