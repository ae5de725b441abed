import { describe, expect, it } from 'vitest'
import { readConfig } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { readTelemetrySettings } from './settings.ts'

const read = (env: Record<string, string>) => readTelemetrySettings(readConfig(env))
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }
const trace = (digits: string) => `${'f'.repeat(32 - digits.length)}${digits}`

describe('the settings of telemetry', () => {
  it('send nothing unless there is an endpoint', () => {
    expect(read({}).target).toBeUndefined()
    expect(read({ ...endpoint, OTEL_SDK_DISABLED: 'true' }).target).toBeUndefined()
    expect(read({ ...endpoint, OTEL_SDK_DISABLED: 'false' }).target).toEqual({
      url: 'http://collector:4318',
      headers: {},
    })
  })

  it('decode headers and resource attributes, and prefer the name of the service', () => {
    const { target, resource } = read({
      ...endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%3Db, x-scope = shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,service.name=another',
      OTEL_SERVICE_NAME: 'shop',
    })
    expect(target?.headers).toEqual({ authorization: 'Bearer a=b', 'x-scope': 'shop' })
    expect(resource).toEqual({ 'deployment.environment.name': 'staging', 'service.name': 'shop' })
  })

  it.each([
    ['always_on', undefined, [true, true], false],
    ['always_off', undefined, [false, false], false],
    ['traceidratio', '0.5', [true, false], false],
    ['parentbased_always_on', undefined, [true, true], true],
    ['parentbased_always_off', undefined, [false, false], true],
    ['parentbased_traceidratio', '0.5', [true, false], true],
  ])('sample new traces by %s', (name, share, expected, followsParent) => {
    const { sampler } = read({
      OTEL_TRACES_SAMPLER: name,
      ...(share !== undefined && { OTEL_TRACES_SAMPLER_ARG: share }),
    })
    // of all trace ids, one at a quarter, and one at three quarters
    expect([trace('4000000000000'), trace('c000000000000')].map(sampler.root)).toEqual(expected)
    expect(sampler.followsParent).toBe(followsParent)
  })

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'secret' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'a=%0asecret' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=%zz' }, 'OTEL_RESOURCE_ATTRIBUTES'],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER=sometimes'],
    [{ OTEL_TRACES_SAMPLER_ARG: '2' }, 'OTEL_TRACES_SAMPLER_ARG=2'],
    [{ OTEL_SDK_DISABLED: 'maybe' }, 'OTEL_SDK_DISABLED=maybe'],
    [{ OTEL_METRIC_EXPORT_INTERVAL: 'soon' }, 'OTEL_METRIC_EXPORT_INTERVAL=soon'],
    [{ LOG_REQUESTS: '1' }, 'LOG_REQUESTS=1'],
  ])('refuse %j, and never quote a secret', (env, name) => {
    const refused = () => read(env)
    expect(refused).toThrow(UserError)
    expect(refused).toThrow(name)
    expect(refused).not.toThrow(/secret/)
  })
})
