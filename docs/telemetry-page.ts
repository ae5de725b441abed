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

They are pushed, because a function may live for less time than passes between two scrapes: every ten seconds, and when the process ends. The format is OTLP over HTTP in JSON, at \`/v1/metrics\` and \`/v1/traces\`. Counters and histograms are deltas, so whatever stores totals has to add them up, such as the collector’s \`deltatocumulative\`. No process has a \`service.instance.id\`: the points of all processes of a function add up.

A collector that is away or slow costs no request anything. A process keeps up to 1,024 spans, and the points of a metric for up to 2,000 sets of attributes; more of them are counted with \`otel.metric.overflow\`. What the collector does not take is sent again, and what there is no room for is dropped and counted in \`zeroshop.telemetry.dropped\`. A span for which there is no room is not recorded together with all that it causes, so that no recorded span lacks its parent. At the end, a process waits up to half a second.

## Settings

The names and values are those of [OpenTelemetry’s specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). The samplers are \`always_on\`, \`always_off\` and \`traceidratio\`, each also as \`parentbased_…\`, which follows the client’s decision.

${table(
  ['setting', 'what it is'],
  telemetrySettings.map((name) => [`\`${name}\``, settings[name]!]),
)}

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
