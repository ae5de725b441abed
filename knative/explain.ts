import { get, kubectl } from './kubectl.ts'

interface State {
  waiting?: { reason?: string; message?: string }
  terminated?: { reason?: string; exitCode?: number; message?: string }
  running?: object
}

export interface Pod {
  metadata: { name: string; labels?: Record<string, string> }
  status: {
    phase: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    containerStatuses?: {
      name: string
      ready: boolean
      restartCount: number
      state: State
      lastState: State
    }[]
  }
}

/** Returns why the named functions or services are not ready, according to their pods: one line for each. */
export async function explain(namespace: string, names: string[]): Promise<string> {
  const { items } = await get<{ items: Pod[] }>(['pods', '-n', namespace])
  const lines = await Promise.all(
    names.map(async (name) => {
      const pods = items.filter(({ metadata: { labels = {} } }) => labels['app.kubernetes.io/name'] === name)
      const pod = pods.find((one) => reasonOf(one) !== undefined)
      if (pod === undefined) return `  ${name}: ${await ofService(namespace, name, pods.length)}`
      return `  ${name}: ${reasonOf(pod)}${await saidLast(namespace, pod)}`
    }),
  )
  return lines.join('\n')
}

/** Returns why a pod is not ready; undefined if it is ready. */
export function reasonOf({ status }: Pod): string | undefined {
  const unscheduled = status.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'False',
  )
  if (unscheduled !== undefined) return unscheduled.message ?? unscheduled.reason
  for (const { name, ready, state, lastState } of status.containerStatuses ?? []) {
    if (ready) continue
    const { waiting, terminated = lastState.terminated } = state
    if (terminated !== undefined)
      return `${name} ended with exit code ${terminated.exitCode} (${waiting?.reason ?? terminated.reason})`
    if (waiting !== undefined) return `${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`
    return `${name} is running but not ready`
  }
  return undefined
}

/** Whether a container of the pod failed again after a restart. Knative would wait ten minutes for it. */
export const keepsEnding = ({ status }: Pod): boolean =>
  status.containerStatuses?.some(({ ready, restartCount }) => !ready && restartCount >= 2) === true

/** Returns why Knative reports that a service is not ready, for a service without a failing pod. */
async function ofService(namespace: string, name: string, pods: number): Promise<string> {
  try {
    const { status } = await get<{ status?: { conditions?: { type: string; message?: string }[] } }>([
      'services.serving.knative.dev',
      name,
      '-n',
      namespace,
    ])
    const message = status?.conditions?.find(({ message }) => message)?.message
    if (message !== undefined) return message
  } catch {
    // it is not a Knative Service
  }
  return pods === 0 ? 'it has no pod' : 'it is about to be ready'
}

async function saidLast(namespace: string, { metadata, status }: Pod): Promise<string> {
  const container = status.containerStatuses?.find(
    ({ ready, name }) => !ready && name !== 'queue-proxy',
  )?.name
  if (container === undefined) return ''
  const logs = ['logs', '-n', namespace, metadata.name, '-c', container, '--tail', '2']
  const said = await kubectl([...logs, '--previous']).catch(() => kubectl(logs).catch(() => ''))
  return said.trim() === '' ? '' : `: ${said.trim()}`
}
