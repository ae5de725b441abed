import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createPods, toParts, type Objects, type Pod } from './kubernetes.ts'

/** A recorded response of the API server, cut to the fields that matter. */
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures/cluster.json'), 'utf8'),
) as Objects & { pods: Pod[] }

const seen = () => {
  const pods = createPods()
  for (const pod of fixture.pods) pods.see('LISTED', pod, 0)
  return pods
}

describe('a sample of the cluster', () => {
  const parts = toParts(fixture, seen())
  const part = (name: string) => parts.find((one) => one.name === name)

  it('describes a function by its PodAutoscaler and its pods', () => {
    expect(part('get-product')).toMatchObject({
      class: 'kpa',
      floor: 0,
      desired: 3,
      ready: 1,
      starting: 1,
      reason: undefined,
    })
  })

  it('describes a function at zero, with the reason', () => {
    expect(part('create-order')).toMatchObject({ desired: 0, ready: 0, starting: 0, reason: 'NoTraffic' })
  })

  it('adds up the revisions of a Service', () => {
    expect(parts.filter(({ name }) => name === 'get-product')).toHaveLength(1)
  })

  it('treats an unknown scale as zero', () => {
    expect(part('get-order')).toMatchObject({ desired: 0 })
  })

  it('describes a function that scales on CPU, with its utilisation', () => {
    expect(part('log-in')).toMatchObject({
      class: 'hpa',
      floor: 1,
      desired: 2,
      ready: 1,
      cpu: { now: 143, target: 70 },
    })
  })

  it('describes the gateway with its HPA, and the relay without one', () => {
    expect(part('gateway')).toMatchObject({
      class: 'hpa',
      floor: 2,
      desired: 3,
      ready: 2,
      starting: 1,
      cpu: { now: 88, target: 60 },
    })
    expect(part('relay')).toMatchObject({ class: 'always', desired: 1, ready: 1, cpu: undefined })
  })

  it('does not count a revision’s Deployment as a separate part', () => {
    expect(parts.map(({ name }) => name).sort()).toEqual([
      'create-order',
      'gateway',
      'get-order',
      'get-product',
      'log-in',
      'relay',
    ])
  })
})

describe('pods that are watched', () => {
  const pod = (uid: string, ready: boolean, more: Partial<Pod['metadata']> = {}): Pod => ({
    metadata: {
      name: `get-product-00001-deployment-${uid}`,
      uid,
      labels: { 'serving.knative.dev/service': 'get-product' },
      ...more,
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  })

  it('have a start time from their creation until they are ready', () => {
    const pods = createPods()
    pods.see('ADDED', pod('a', false), 1000)
    pods.see('MODIFIED', pod('a', false), 1400)
    pods.see('MODIFIED', pod('a', true), 1900)
    pods.see('ADDED', pod('b', false), 2000)
    pods.see('MODIFIED', pod('b', true), 2700)
    expect(pods.coldStarts()).toEqual([
      { name: 'get-product', at: 1000, ms: 900, fromZero: true },
      { name: 'get-product', at: 2000, ms: 700, fromZero: false },
    ])
  })

  it('have no start time if they existed before, and no second one when they become ready again', () => {
    const pods = createPods()
    pods.see('LISTED', pod('a', true), 1000)
    pods.see('MODIFIED', pod('a', false), 2000)
    pods.see('MODIFIED', pod('a', true), 3000)
    pods.see('LISTED', pod('b', false), 1000)
    pods.see('MODIFIED', pod('b', true), 3000)
    expect(pods.coldStarts()).toEqual([])
  })

  it('are not counted once they are being deleted', () => {
    const pods = createPods()
    pods.see('ADDED', pod('a', true), 0)
    expect(pods.count('get-product')).toEqual({ ready: 1, starting: 0 })
    pods.see('MODIFIED', pod('a', true, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 1)
    expect(pods.count('get-product')).toEqual({ ready: 0, starting: 0 })
  })

  it('are kept when a new watch lists them again', () => {
    const pods = createPods()
    pods.see('ADDED', pod('a', false), 0)
    pods.forget()
    pods.see('LISTED', pod('a', true), 600)
    expect(pods.count('get-product')).toEqual({ ready: 1, starting: 0 })
    expect(pods.coldStarts()).toHaveLength(1)
  })
})
