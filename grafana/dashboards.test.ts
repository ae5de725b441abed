import { describe, expect, it } from 'vitest'
import { metrics, type MetricName } from '../functions/shared/telemetry/metrics.ts'
import { dashboards } from './dashboards.ts'
import * as others from './others.ts'
import { knownNames, namesIn } from './query-names.ts'
import { bound, prometheusName, series, shop } from './prometheus.ts'
import { sources } from './sources.ts'

interface Target {
  refId: string
  expr: string
  datasource?: { uid: string }
}

interface Shown {
  id: number
  type: string
  title: string
  description?: string
  datasource?: { uid: string }
  targets?: Target[]
  fieldConfig?: { defaults: { unit?: string } }
}

const panelsOf = (dashboard: object) =>
  (dashboard as { panels: Shown[] }).panels.filter(({ type }) => type !== 'row')

const all = Object.entries(dashboards()).flatMap(([name, dashboard]) =>
  panelsOf(dashboard).map((panel) => ({ ...panel, name: `${name}: ${panel.title}` })),
)

describe('the names of metrics in Prometheus', () => {
  it('end as the kind and the unit of a metric say', () => {
    expect(prometheusName('a.b', { kind: 'counter', unit: '{order}' })).toBe('a_b_total')
    expect(prometheusName('a.b', { kind: 'histogram', unit: 's' })).toBe('a_b_seconds')
    expect(prometheusName('a.b', { kind: 'gauge', unit: 'By' })).toBe('a_b_bytes')
    expect(shop('zeroshop.outbox.lag')).toBe('zeroshop_outbox_lag_seconds')
    expect(others.knative('kn.revision.pods.count')).toBe('kn_revision_pods_count')
  })

  it('take conditions, each with the operator that its value begins with', () => {
    expect(series('a', { 'b.c': 'd', e: '=~5..', f: '!=' })).toBe('a{b_c="d", e=~"5..", f!=""}')
    expect(series('a', { b: 'say "x"' })).toBe('a{b="say \\"x\\""}')
  })

  it('find the bucket of a whole number however Prometheus writes it', () => {
    const [, pattern] = bound(60).split('=~')
    for (const written of ['60', '60.0']) expect(written).toMatch(new RegExp(`^(?:${pattern})$`))
    expect('600').not.toMatch(new RegExp(`^(?:${pattern})$`))
    expect(bound(2.5)).toBe('2.5')
  })
})

describe('each panel', () => {
  it('asks a question, and says how to read the answer and in which unit', () => {
    for (const { name, title, description, fieldConfig } of all)
      expect({ name, title, description, unit: fieldConfig?.defaults.unit }).toEqual({
        name,
        title: expect.stringMatching(/^[A-Z].*\?$/) as string,
        description: expect.stringMatching(/^.{15,}\.$/s) as string,
        unit: expect.stringMatching(/./) as string,
      })
  })

  it('has at least one query, of a data source that is provisioned', () => {
    const uids = Object.values(sources).map(({ uid }) => uid as string)
    for (const { name, targets = [], datasource } of all) {
      expect({ name, queries: targets.length }).not.toEqual({ name, queries: 0 })
      expect(uids).toContain(datasource?.uid)
    }
  })

  it('reads only metrics that someone exports', () => {
    const read = all
      .filter(({ datasource }) => datasource?.uid === sources.prometheus.uid)
      .flatMap(({ name, targets = [] }) => targets.map(({ expr }) => ({ name, expr, names: namesIn(expr) })))
    expect(read.filter(({ names }) => names.length === 0)).toEqual([])
    expect(read.filter(({ names }) => !names.every((word) => knownNames.has(word)))).toEqual([])
  })

  it('has an id of its own in its dashboard', () => {
    for (const dashboard of Object.values(dashboards())) {
      const ids = (dashboard as { panels: Shown[] }).panels.map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
})

it('every metric of the shop is on a dashboard', () => {
  const shown = new Set(all.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr))))
  const missing = (Object.keys(metrics) as MetricName[]).filter((name) => {
    const full = prometheusName(name, metrics[name])
    return ![full, `${full}_bucket`, `${full}_count`].some((part) => shown.has(part))
  })
  expect(missing).toEqual([])
})
