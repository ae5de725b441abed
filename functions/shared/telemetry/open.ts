import type { Logger } from 'pino'
import type { Config } from '../process/config.ts'
import { currentSpan, handledBy, logFields, within } from './context.ts'
import { startExporter, type Exporter } from './exporter.ts'
import { createInstruments } from './instruments.ts'
import { watchMongodb } from './mongodb.ts'
import { watchPostgres } from './postgres.ts'
import { createServing } from './serving.ts'
import { readTelemetrySettings } from './settings.ts'
import { samplers } from './sampler.ts'
import { createSpanBuffer } from './span-buffer.ts'
import { createTracer } from './tracer.ts'
import { useTelemetry, type Telemetry } from './telemetry.ts'
import { version } from './version.table.ts'

/**
 * Switches telemetry on for this process, if the settings say so.
 * @param name the name of the function or of the service
 * @throws UserError if a setting cannot be used
 */
export function openTelemetry(config: Config, name: string, log?: Logger): Telemetry | undefined {
  const settings = readTelemetrySettings(config)
  const { target, logsRequests, intervalMs, timeoutMs } = settings
  if (target === undefined && !logsRequests) return undefined
  const instruments = createInstruments()
  let exporter: Exporter | undefined
  const spans = createSpanBuffer({
    onHalfFull: () => exporter?.soon(),
    onDrop: (count) => instruments.add('zeroshop.telemetry.dropped', count, { signal: 'spans' }),
  })
  const { add, record, observe } = instruments
  // without a collector, the ids are only for the log
  const startSpan = createTracer(target === undefined ? samplers['always_off']!(0) : settings.sampler, spans)
  if (target !== undefined)
    exporter = startExporter({
      target,
      resource: resourceOf(config, name, settings.resource),
      instruments,
      spans,
      intervalMs,
      timeoutMs,
    })
  const recorded = target === undefined ? { add() {}, record() {}, observe() {} } : { add, record, observe }
  const context = { ...recorded, startSpan, currentSpan }
  const opened: Telemetry = {
    ...recorded,
    startSpan,
    within,
    current: currentSpan,
    handledBy,
    logFields,
    ...createServing(context, name, logsRequests ? log : undefined),
    postgres: (client) => watchPostgres(client, context),
    mongodb: (client) => watchMongodb(client, context),
    close: async () => exporter?.close(),
  }
  useTelemetry(opened)
  return opened
}

/** What describes this process. It has no id of its own, so that the points of all processes of a function add up. */
function resourceOf(config: Config, name: string, given: Readonly<Record<string, string>>) {
  const revision = config.get('K_REVISION')
  return {
    'service.name': name,
    'service.namespace': 'zeroshop',
    'service.version': version,
    'faas.name': name,
    ...(revision === undefined ? {} : { 'faas.version': revision }),
    ...given,
  }
}
