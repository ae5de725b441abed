import { expect, it } from 'vitest'
import { settingsOf, targetOf } from './observability.ts'

it('Knative pushes what all of its parts measure to the collector of the shop in that namespace', () => {
  const settings = settingsOf('zeroshop-staging')
  const endpoint = 'http://collector.zeroshop-staging.svc.cluster.local:4318/v1/metrics'
  for (const prefix of ['', 'request-']) {
    expect(settings[`${prefix}metrics-protocol`]).toBe('http/protobuf')
    expect(settings[`${prefix}metrics-endpoint`]).toBe(endpoint)
  }
  expect(targetOf(settings)).toBe(endpoint)
})

it('Knative’s metrics may go nowhere, or be scraped', () => {
  expect(targetOf({})).toBeUndefined()
  expect(targetOf({ 'metrics-protocol': 'none' })).toBeUndefined()
  expect(targetOf({ 'metrics-protocol': 'prometheus' })).toBe('prometheus')
})
