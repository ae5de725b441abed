/** What the benchmarks need of the shop in the cluster that KUBECONFIG names. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { secretsFolder } from '../compose/secrets.ts'
import { reachGateway } from '../knative/cluster.ts'
import { get, kubectl } from '../knative/kubectl.ts'
import { stockUp, type Shop } from './people.ts'

export const namespace = 'zeroshop'

/** The shop behind its gateway, with stock. */
export async function openCluster(): Promise<Shop> {
  const url = await reachGateway(namespace)
  await stockUp({ url }, readFileSync(join(secretsFolder, 'demo-password'), 'utf8').trim())
  return { url }
}

interface Service {
  metadata: { generation: number }
  status: {
    observedGeneration: number
    conditions: { type: string; status: string }[]
  }
}

/** Sets annotations of a function's pods, which rolls out a new revision, and waits until that takes the requests. */
export async function annotate(name: string, annotations: Record<string, string | null>): Promise<void> {
  const change = { spec: { template: { metadata: { annotations } } } }
  const ksvc = ['services.serving.knative.dev', name, '-n', namespace]
  await kubectl(['patch', ...ksvc, '--type', 'merge', '-p', JSON.stringify(change)])
  for (let tries = 0; tries < 240; tries++) {
    const { metadata, status } = await get<Service>(ksvc)
    const isReady = status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (isReady && status.observedGeneration === metadata.generation) return
    await pause(500)
  }
  throw new Error(`${name} does not become ready: kubectl -n ${namespace} get ksvc ${name}`)
}

/** Waits until functions have no pod, not even one that is about to end. */
export async function atZero(names: string[]): Promise<void> {
  const selector = `app.kubernetes.io/name in (${names.join(',')})`
  for (let tries = 0; tries < 240; tries++) {
    const { items } = await get<{ items: unknown[] }>(['pods', '-n', namespace, '-l', selector])
    if (items.length === 0) return
    await pause(1_000)
  }
  throw new Error(`${names.join(', ')} did not go to zero within 4 minutes`)
}

/** The shortest window that Knative takes, so that a function goes to zero soon, and what knative/manifests.ts says. */
export const windowIs = (window: '6s' | '60s') => ({ 'autoscaling.knative.dev/window': window })
