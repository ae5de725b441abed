import type { Logger } from 'pino'
import type { Config } from '../process/config.ts'

/**
 * Switches telemetry on if the settings ask for it. It is loaded only then.
 * @param name the name of the function or of the service
 * @param log gets a line for each request, if LOG_REQUESTS says so
 * @throws UserError if a setting cannot be used
 */
export async function startTelemetry(config: Config, name: string, log?: Logger): Promise<void> {
  const isAskedFor = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'LOG_REQUESTS'].some(
    (setting) => config.get(setting) !== undefined,
  )
  if (isAskedFor) (await import('./open.ts')).openTelemetry(config, name, log)
}
