import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { createPods, toParts, type Pod } from './kubernetes.ts'
import type { ScaleSource } from './source.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { wait } from './wait.ts'

/** Knative's default, which this project does not change. */
const WINDOW_SECONDS = 60

/** Reads the cluster through kubectl, which handles authentication. */
export async function openCluster(namespace: string): Promise<ScaleSource> {
  const api = await openApi()
  const closing = new AbortController()
  const pods = createPods()
  const path = `/api/v1/namespaces/${namespace}/pods`
  const list = async <T>(path: string): Promise<T[]> => (await api.get<{ items: T[] }>(path)).items
  const objects = async () => {
    const [autoscalers, hpas, deployments, statefulSets] = await Promise.all([
      list<never>(`/apis/autoscaling.internal.knative.dev/v1alpha1/namespaces/${namespace}/podautoscalers`),
      list<never>(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`),
      list<never>(`/apis/apps/v1/namespaces/${namespace}/deployments`),
      list<never>(`/apis/apps/v1/namespaces/${namespace}/statefulsets`),
    ])
    return { autoscalers, hpas, deployments: [...deployments, ...statefulSets] }
  }
  try {
    const { autoscalers } = await objects()
    if (autoscalers.length === 0)
      throw new UserError(
        `There are no Knative Services in the namespace ${namespace}. Deploy the shop, or set --namespace.`,
      )
    void follow(await listPods())
  } catch (error) {
    await api.close()
    throw error
  }
  return {
    label: `the cluster’s namespace ${namespace}`,
    note: 'A cold start lasts from a pod’s creation until it is ready, as the API server reports them.',
    everyMs: 1000,
    windowSeconds: WINDOW_SECONDS,
    sample: async () => ({ parts: toParts(await objects(), pods), at: Date.now() }),
    coldStarts: () => pods.coldStarts(),
    async close() {
      closing.abort()
      await api.close()
    },
  }

  /** Returns the resource version from which a watch continues. */
  async function listPods(): Promise<string> {
    const { items, metadata } = await api.get<{ items: Pod[]; metadata: { resourceVersion: string } }>(path)
    pods.forget()
    for (const pod of items) pods.see('LISTED', pod, Date.now())
    return metadata.resourceVersion
  }

  async function follow(from: string) {
    for (let version = from; !closing.signal.aborted; version = await listPods().catch(() => version)) {
      const watch = api.watch(`${path}?watch=1&resourceVersion=${version}`, closing.signal)
      try {
        for await (const line of watch) {
          const { type, object } = JSON.parse(line) as { type: string; object: Pod }
          if (type === 'ERROR') break
          pods.see(type, object, Date.now())
        }
      } catch {
        // the next sample reports what is wrong
      }
      // the API server ends a watch after a while
      await wait(500, closing.signal)
    }
  }
}

/** Reaches the API server through `kubectl proxy`, on a socket that only this user can open. */
async function openApi() {
  const folder = mkdtempSync(join(tmpdir(), 'zeroshop-scale-'))
  const socketPath = join(folder, 'kubectl')
  const child = spawn(
    'kubectl',
    ['proxy', `--unix-socket=${socketPath}`, '--reject-methods=^(POST|PUT|PATCH|DELETE)$'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const dispatcher = new Agent({ connect: { socketPath }, bodyTimeout: 0 })
  const close = async () => {
    child.kill()
    await dispatcher.destroy()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      let said = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text
          if (said.includes('Starting to serve')) resolve()
        })
      child.once('exit', () => reject(new UserError(`kubectl proxy: ${said.trim()}`)))
      child.once('error', () =>
        reject(
          new UserError(
            'This shop is not the local runner, and there is no kubectl on the PATH to read its cluster with.',
          ),
        ),
      )
    })
  } catch (error) {
    await close()
    throw error
  }
  const ask = (path: string, signal?: AbortSignal) =>
    request(`http://localhost${path}`, { dispatcher, ...(signal && { signal }) })

  return {
    close,
    async get<T>(path: string): Promise<T> {
      const { statusCode, body } = await ask(path, AbortSignal.timeout(10_000))
      const text = await body.text()
      if (statusCode === 200) return JSON.parse(text) as T
      throw new UserError(explain(statusCode, path, text))
    },
    /** Yields the lines of a response that does not end. */
    async *watch(path: string, signal: AbortSignal): AsyncGenerator<string> {
      const { body } = await ask(path, signal)
      let text = ''
      for await (const chunk of body.setEncoding('utf8')) {
        text += chunk as string
        const lines = text.split('\n')
        text = lines.pop()!
        yield* lines
      }
    },
  }
}

function explain(status: number, path: string, text: string): string {
  if (status === 404 && path.includes('knative'))
    return 'The cluster of your KUBECONFIG has no Knative Serving. Install it, or set KUBECONFIG to another cluster.'
  // the API server's own errors are JSON
  if (!text.startsWith('{')) return `kubectl cannot reach the cluster of your KUBECONFIG: ${text.trim()}`
  return `The API server returned ${status} for GET ${path}: ${text.slice(0, 300).trim()}`
}
