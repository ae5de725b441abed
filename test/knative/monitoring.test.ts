import { beforeAll, describe, expect, it } from 'vitest'
import { dashboards } from '../../grafana/dashboards.ts'
import { get, kubectl } from '../../knative/kubectl.ts'
import { logNamespaceOf } from '../../knative/overlay.ts'
import type { TestClient } from '../client.ts'
import { steadyLoad } from '../load.ts'
import { namespace, openShop, readyPods } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await openShop()
})

/** Scrapes, pushes and evaluations are 15 s apart. */
const soon = { timeout: 120_000, interval: 3_000 }

/** Returns the answer of a Service of the shop, by way of the API server. */
const ask = (service: string, path: string, parameters: Readonly<Record<string, string>>) =>
  kubectl([
    'get',
    '--raw',
    `/api/v1/namespaces/${namespace}/services/${service}/proxy${path}?${new URLSearchParams(parameters).toString()}`,
  ])

type Series = { metric: Record<string, string>; value: [number, string] }[]

/** Returns the series of a query of Prometheus. */
async function query(expression: string): Promise<Series> {
  const answer = await ask('prometheus:http', '/api/v1/query', { query: expression })
  return (JSON.parse(answer) as { data: { result: Series } }).data.result
}

interface Workload {
  metadata: { name: string; labels: Record<string, string> }
  spec: { replicas: number }
}

/** Returns the names of the parts that have no pods, because the cluster cannot run them. */
async function leftOut(): Promise<string[]> {
  const { items } = await get<{ items: Workload[] }>(
    `statefulsets,deployments -n ${namespace} -l app.kubernetes.io/part-of=zeroshop`.split(' '),
  )
  return items
    .filter(
      ({ metadata, spec }) => spec.replicas === 0 && !('serving.knative.dev/service' in metadata.labels),
    )
    .map(({ metadata }) => metadata.name)
}

describe('the monitoring', () => {
  it('reaches everything that it scrapes', async () => {
    const absent = await leftOut()
    const away = async () =>
      (await query('up == 0'))
        .map(({ metric }) => metric['instance']!)
        .filter((instance) => !absent.some((name) => instance.startsWith(`${name}:`)))
    await expect.poll(away, soon).toEqual([])
    const jobs = new Set((await query('up == 1')).map(({ metric }) => metric['job']))
    expect([...jobs]).toEqual(
      expect.arrayContaining(['gateway', 'kubernetes', 'volumes', 'prometheus', 'probe']),
    )
  })

  it('has a value for each query of the dashboard Scaling, after some requests', async () => {
    const load = steadyLoad(() => client.unchecked.GET('/products'), { atOnce: 4 })
    try {
      const silent = async () => {
        const found = await Promise.all(scalingQueries.map(async (one) => (await query(one)).length > 0))
        return scalingQueries.filter((_, n) => !found[n])
      }
      await expect.poll(silent, soon).toEqual([])
    } finally {
      await load.stop()
    }
  })

  it('counts the pods of a function as Knative does', async () => {
    // so that there is a pod whenever they are counted
    const load = steadyLoad(() => client.unchecked.GET('/products'), { atOnce: 1 })
    try {
      const counted = async () => {
        const [series] = await query('sum(kn_revision_pods_count{kn_service_name="list-products"})')
        return { counted: Number(series?.value[1]), ready: await readyPods('list-products') }
      }
      // a second pod from the test before ends a minute later
      await expect.poll(counted, { ...soon, timeout: 150_000 }).toEqual({ counted: 1, ready: 1 })
    } finally {
      await load.stop()
    }
  })
})

/** The queries, without the conditions by which panels leave out what is not the case. */
const scalingQueries = dashboards()
  .scaling.panels!.flatMap((panel) => ('targets' in panel ? (panel.targets ?? []) : []))
  .map((target) => (target as unknown as { expr: string }).expr)
  .map((expression) => expression.replaceAll('$__rate_interval', '2m').replace(/ > 0$/, ''))

describe('the logging', () => {
  it('finds the lines of a function, of a service and of a job, each under its name', async () => {
    const lines = async (name: string) =>
      (
        await ask('victoria-logs:metrics', '/select/logsql/query', {
          query: `function:="${name}"`,
          limit: '1',
        })
      ).trim()
    for (const name of ['list-products', 'relay', 'migrate'])
      await expect.poll(() => lines(name), soon).toContain(`"service.name":"${name}"`)
  })

  it('runs its collector in a namespace of its own', async () => {
    const { status } = await get<{ status: { numberReady: number; desiredNumberScheduled: number } }>(
      `daemonset log-collector -n ${logNamespaceOf(namespace)}`.split(' '),
    )
    expect(status.numberReady).toBeGreaterThan(0)
    expect(status.numberReady).toBe(status.desiredNumberScheduled)
  })
})
