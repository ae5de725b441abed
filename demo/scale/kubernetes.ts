/** The parts of the Kubernetes and Knative API that the demo reads, and how it interprets them. Pure. */
import type { ColdStart, Part } from './source.ts'

interface Metadata {
  name: string
  uid?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { kind: string; name: string }[]
  deletionTimestamp?: string
}

interface Condition {
  type: string
  status: string
  reason?: string
}

/** autoscaling.internal.knative.dev/v1alpha1: the scale of a revision, for both classes of autoscaler. */
export interface PodAutoscaler {
  metadata: Metadata
  status?: { desiredScale?: number; actualScale?: number; conditions?: Condition[] }
}

/** autoscaling/v2 */
export interface HorizontalPodAutoscaler {
  metadata: Metadata
  spec: {
    minReplicas?: number
    scaleTargetRef: { kind: string; name: string }
    metrics?: { type: string; resource?: { name: string; target: { averageUtilization?: number } } }[]
  }
  status?: {
    desiredReplicas?: number
    currentMetrics?: { type: string; resource?: { name: string; current: { averageUtilization?: number } } }[]
  }
}

/** apps/v1; a StatefulSet has the same fields. */
export interface Deployment {
  metadata: Metadata
  spec: { replicas?: number }
  status?: { replicas?: number; readyReplicas?: number }
}

/** v1 */
export interface Pod {
  metadata: Metadata
  status?: { phase?: string; conditions?: Condition[] }
}

export interface Objects {
  autoscalers: PodAutoscaler[]
  hpas: HorizontalPodAutoscaler[]
  deployments: Deployment[]
}

const service = 'serving.knative.dev/service'
const annotation = (key: string) => `autoscaling.knative.dev/${key}`

/** Reads functions from their PodAutoscalers and pods, and the other parts from their Deployments. */
export function toParts({ autoscalers, hpas, deployments }: Objects, pods: Pods): Part[] {
  const byService = Map.groupBy(
    autoscalers.filter(({ metadata }) => metadata.labels?.[service] !== undefined),
    ({ metadata }) => metadata.labels![service]!,
  )
  return [
    ...[...byService].map(([name, revisions]) => toFunction(name, revisions, hpas, pods)),
    ...deployments
      .filter(({ metadata }) => metadata.labels?.[service] === undefined)
      .map((deployment) => toPlain(deployment, hpas)),
  ]
}

/** A Knative Service, with the sums over its revisions. */
function toFunction(
  name: string,
  revisions: PodAutoscaler[],
  hpas: HorizontalPodAutoscaler[],
  pods: Pods,
): Part {
  const newest = revisions.at(-1)!
  const { annotations = {} } = newest.metadata
  // Knative's own HPA of a revision has the revision's name
  const hpa = hpas.find(({ metadata }) => metadata.name === newest.metadata.name)
  const active = newest.status?.conditions?.find(({ type }) => type === 'Active')
  return {
    name,
    class: annotations[annotation('class')]?.startsWith('hpa.') ? 'hpa' : 'kpa',
    floor: Number(annotations[annotation('min-scale')] ?? annotations[annotation('minScale')] ?? 0),
    // -1 until the autoscaler has decided
    desired: sum(revisions.map(({ status }) => Math.max(0, status?.desiredScale ?? 0))),
    ...pods.count(name),
    concurrency: undefined,
    cpu: hpa && cpuOf(hpa),
    panic: false,
    reason: active?.status === 'True' ? undefined : active?.reason,
  }
}

function toPlain({ metadata: { name }, spec, status }: Deployment, hpas: HorizontalPodAutoscaler[]): Part {
  const hpa = hpas.find(
    ({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === 'Deployment' && scaleTargetRef.name === name,
  )
  const ready = status?.readyReplicas ?? 0
  return {
    name,
    class: hpa === undefined ? 'always' : 'hpa',
    floor: hpa === undefined ? (spec.replicas ?? 1) : (hpa.spec.minReplicas ?? 1),
    desired: hpa?.status?.desiredReplicas ?? spec.replicas ?? 1,
    ready,
    starting: Math.max(0, (status?.replicas ?? 0) - ready),
    concurrency: undefined,
    cpu: hpa && cpuOf(hpa),
    panic: false,
    reason: undefined,
  }
}

function cpuOf({ spec, status }: HorizontalPodAutoscaler): Part['cpu'] {
  const target = spec.metrics?.find(({ resource }) => resource?.name === 'cpu')?.resource
  const current = status?.currentMetrics?.find(({ resource }) => resource?.name === 'cpu')?.resource
  const now = current?.current.averageUtilization
  const wanted = target?.target.averageUtilization
  return now === undefined || wanted === undefined ? undefined : { now, target: wanted }
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

export type Pods = ReturnType<typeof createPods>

/**
 * Follows pods through a watch. The API's times are in whole seconds, so the times at which events arrive are
 * used instead.
 */
export function createPods() {
  const pods = new Map<string, { name: string; state: 'starting' | 'ready' }>()
  const begun = new Map<string, { at: number; fromZero: boolean }>()
  const known = new Set<string>()
  const found: ColdStart[] = []

  const count = (name: string) => {
    let [ready, starting] = [0, 0]
    for (const pod of pods.values())
      if (pod.name === name) {
        if (pod.state === 'ready') ready += 1
        else starting += 1
      }
    return { ready, starting }
  }

  return {
    count,
    /** Forgets all pods. Call it before a list, which reports all of them again. */
    forget: () => pods.clear(),
    /**
     * @param type the watch's event: ADDED, MODIFIED or DELETED; or LISTED for a pod that existed already
     * @param at when the event arrived, in ms since 1970
     */
    see(type: string, pod: Pod, at: number) {
      const name = partOf(pod)
      const id = pod.metadata.uid ?? pod.metadata.name
      if (name === undefined) return
      const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
      if (type === 'DELETED' || over || pod.metadata.deletionTimestamp !== undefined) {
        pods.delete(id)
        begun.delete(id)
        return
      }
      const ready = isReady(pod)
      if (type === 'ADDED' && !known.has(id) && !ready)
        begun.set(id, { at, fromZero: count(name).ready === 0 })
      known.add(id)
      pods.set(id, { name, state: ready ? 'ready' : 'starting' })
      const start = begun.get(id)
      if (!ready || start === undefined) return
      begun.delete(id)
      found.push({ name, at: start.at, ms: at - start.at, fromZero: start.fromZero })
    },
    coldStarts: () => found.toSorted((a, b) => a.at - b.at),
  }
}

const isReady = ({ status }: Pod) =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

/** Returns the name of a pod's Knative Service or Deployment. The ReplicaSet's name contains the latter. */
function partOf({ metadata: { labels = {}, ownerReferences = [] } }: Pod): string | undefined {
  const replicaSet = ownerReferences.find(({ kind }) => kind === 'ReplicaSet')?.name
  return labels[service] ?? replicaSet?.replace(`-${labels['pod-template-hash']}`, '')
}
