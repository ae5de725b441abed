/** The shop in the cluster that KUBECONFIG names, for benchmarks. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { secretsFolder } from '../compose/secrets.ts'
import { reachGateway } from '../knative/cluster.ts'
import { get, kubectl } from '../knative/kubectl.ts'
import { call, type Answer } from './harness.ts'
import { stockUp } from './shop.ts'

export const namespace = 'zeroshop'

/** The arguments of kubectl that name a Knative Service. */
export const ksvcOf = (name: string) => ['services.serving.knative.dev', name, '-n', namespace]

/** Receives stock and returns the URL of the shop's gateway. */
export async function openCluster(): Promise<string> {
  const url = await reachGateway(namespace)
  await stockUp(url, readFileSync(join(secretsFolder, 'demo-password'), 'utf8').trim())
  return url
}

interface Service {
  metadata: { generation: number }
  status: {
    observedGeneration: number
    conditions?: { type: string; status: string }[]
    url?: string
  }
}

/** Sets annotations of a function's pods, which rolls out a new revision. Waits until it is ready. */
export async function annotate(name: string, annotations: Record<string, string | null>): Promise<void> {
  const change = { spec: { template: { metadata: { annotations } } } }
  await kubectl(['patch', ...ksvcOf(name), '--type', 'merge', '-p', JSON.stringify(change)])
  await untilReady(name)
}

/** Waits until the newest revision of a Knative Service is ready. */
export async function untilReady(name: string): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const { metadata, status } = await get<Service>(ksvcOf(name))
    const isReady = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (isReady === true && status.observedGeneration === metadata.generation) return
    await pause(500)
  }
  throw new Error(`${name} did not become ready. See kubectl -n ${namespace} get ksvc ${name}`)
}

/** Waits until functions have no pods, not even terminating ones. */
export async function atZero(names: string[]): Promise<void> {
  const selector = `app.kubernetes.io/name in (${names.join(',')})`
  for (let tries = 0; tries < 240; tries++) {
    const { items } = await get<{ items: unknown[] }>(['pods', '-n', namespace, '-l', selector])
    if (items.length === 0) return
    await pause(1_000)
  }
  throw new Error(`${names.join(', ')} did not go to zero within 4 minutes`)
}

/** The annotation for a function's window: 6s, Knative's minimum, or 60s, as in knative/manifests.ts. */
export const windowIs = (window: '6s' | '60s') => ({ 'autoscaling.knative.dev/window': window })

/**
 * Returns a caller of the public route of a Knative Service, through KNATIVE_INGRESS_URL if the route's name does not
 * resolve on this machine.
 */
export async function routeOf(name: string): Promise<(path: string) => Promise<Answer>> {
  const { status } = await get<Service>(ksvcOf(name))
  const { origin, host } = new URL(status.url!)
  const ingress = process.env['KNATIVE_INGRESS_URL'] ?? origin
  return (path) => call(`${ingress}${path}`, 'GET', { host })
}
