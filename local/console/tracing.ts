import { readConfig } from '../../functions/shared/process/config.ts'
import { startTelemetry } from '../../functions/shared/telemetry/start.ts'
import { closeTelemetry, useTelemetry } from '../../functions/shared/telemetry/telemetry.ts'
import type { Settings } from '../environment.ts'
import { otlpPath } from './traces.ts'

/** How often processes send their spans to the console, in ms. */
const everyMs = 5_000

/**
 * Has this process, which is the gateway, send its spans to the console. Returns the settings with which the other
 * processes do so, too.
 * @param port that of the internal server
 * @param given settings that take precedence
 */
export async function sendTracesTo(
  port: number,
  given: Settings = {},
): Promise<{ settings: Settings; stop: () => Promise<void> }> {
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}${otlpPath}`,
    OTEL_METRIC_EXPORT_INTERVAL: String(everyMs),
    ...given,
  }
  await startTelemetry(readConfig(settings), 'gateway')
  return {
    settings,
    async stop() {
      await closeTelemetry()
      useTelemetry(undefined)
    },
  }
}
