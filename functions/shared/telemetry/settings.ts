import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { samplers, type Sampler } from './sampler.ts'
import type { Target } from './send.ts'

/** What the settings of OpenTelemetry say, as far as the functions have them. */
export interface TelemetrySettings {
  /** Where to send; undefined if nothing is sent. */
  target: Target | undefined
  resource: Readonly<Record<string, string>>
  sampler: Sampler
  intervalMs: number
  timeoutMs: number
  /** Whether a line is logged for each request. */
  logsRequests: boolean
}

/** @throws UserError if a setting cannot be used */
export function readTelemetrySettings(config: Config): TelemetrySettings {
  const isDisabled = flag(config, 'OTEL_SDK_DISABLED')
  return {
    target: isDisabled ? undefined : targetOf(config),
    resource: {
      ...pairs(config, 'OTEL_RESOURCE_ATTRIBUTES'),
      ...named('service.name', config.get('OTEL_SERVICE_NAME')),
    },
    sampler: samplerOf(config),
    intervalMs: config.number('OTEL_METRIC_EXPORT_INTERVAL', 10_000),
    timeoutMs: config.number('OTEL_EXPORTER_OTLP_TIMEOUT', 5_000),
    logsRequests: flag(config, 'LOG_REQUESTS'),
  }
}

const named = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value })

function targetOf(config: Config): Target | undefined {
  const name = 'OTEL_EXPORTER_OTLP_ENDPOINT'
  const endpoint = config.get(name)
  if (endpoint === undefined) return undefined
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    // not quoted, because it may contain a password
    throw config.unusable(name)
  return { url: url.href.replace(/\/+$/, ''), headers: headersOf(config) }
}

function headersOf(config: Config): Record<string, string> {
  const name = 'OTEL_EXPORTER_OTLP_HEADERS'
  const headers = pairs(config, name)
  for (const [header, value] of Object.entries(headers))
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header) || !/^[\t\u0020-\u007e]*$/.test(value))
      throw config.unusable(name)
  return headers
}

/** Reads `name=value,name=value`, where values are percent-encoded, as the specification says. */
function pairs(config: Config, name: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const pair of (config.get(name) ?? '').split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    const key = pair.slice(0, Math.max(0, at)).trim()
    if (key === '') throw config.unusable(name)
    try {
      found[key] = decodeURIComponent(pair.slice(at + 1).trim())
    } catch {
      throw config.unusable(name)
    }
  }
  return found
}

function samplerOf(config: Config): Sampler {
  const name = config.get('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const create = Object.hasOwn(samplers, name) ? samplers[name] : undefined
  if (create === undefined)
    throw new UserError(`OTEL_TRACES_SAMPLER=${name}: set it to one of ${Object.keys(samplers).join(', ')}.`)
  const text = config.get('OTEL_TRACES_SAMPLER_ARG')
  const share = text === undefined ? 1 : Number(text)
  if (!(share >= 0 && share <= 1))
    throw new UserError(`OTEL_TRACES_SAMPLER_ARG=${text}: set it to a share of the traces from 0 to 1.`)
  return create(share)
}

function flag(config: Config, name: string): boolean {
  const text = config.get(name)?.toLowerCase()
  if (text === undefined || text === 'true' || text === 'false') return text === 'true'
  throw new UserError(`${name}=${text}: set it to true or false.`)
}
