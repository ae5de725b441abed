import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { shopClient } from '../demo/client/shop.ts'
import { kubectl } from '../knative/kubectl.ts'
import { annotate, atZero, namespace, openCluster, windowIs } from './cluster.ts'
import { call, median, p95 } from './harness.ts'
import { productUrl } from './shop.ts'
import type { Result } from './result.ts'
import { confirmedIn } from './saga.ts'

const starts = 8
const sagas = 5
const saga = ['reserve-stock', 'authorize-payment', 'confirm-order', 'track-order']

/**
 * Measures cold starts: the time to the first response of `get-product` and its parts, and an order whose
 * reactions are all at zero, compared with one whose reactions are running. During the measurement, the
 * functions have a window of 6 s, so that they scale to zero soon.
 */
export async function clusterCold(): Promise<Result[]> {
  const url = await openCluster()
  for (const name of ['get-product', ...saga]) await annotate(name, windowIs('6s'))
  try {
    const { cold, warm, own } = await coldStarts(url)
    const one = median(cold) - median(warm)
    return [
      {
        what: 'get-product, 0 → 1: first answer',
        ours: `p50 ${ms(median(cold))}, p95 ${ms(p95(cold))}`,
        against: `${ms(median(warm))} warm`,
        ratio: '',
        goal: 'p50 ≤ 1.0 s, p95 ≤ 1.6 s',
        met: median(cold) <= 1_000 && p95(cold) <= 1_600,
      },
      {
        what: 'of that the function’s own start',
        ours: ms(median(own)),
        against: ms(median(cold)),
        ratio: `${(median(own) / median(cold)).toFixed(2)} ×`,
        goal: '≤ 150 ms',
        met: median(own) <= 150,
      },
      await coldSaga(url, one),
    ]
  } finally {
    for (const name of ['get-product', ...saga]) await annotate(name, windowIs('60s'))
  }
}

async function coldStarts(url: string) {
  const product = await productUrl(url)
  const first200 = async () => {
    const began = Date.now()
    const { status } = await call(product)
    if (status !== 200) throw new Error(`${product} returned ${status}`)
    return { began, ended: Date.now() }
  }
  const cold: number[] = []
  const warm: number[] = []
  const stages = new Map<string, number[]>(stageNames.map((name) => [name, []]))
  for (let round = 0; round < starts; round++) {
    await atZero(['get-product'])
    // for a moment, the API server is busy with the removal of the last pod
    await pause(1_000)
    const pods = watchPods('get-product')
    await pause(500)
    const { began, ended } = await first200()
    const { name, created, scheduled, sandbox, ready } = await pods.first
    const { started, listening } = await startOf(name)
    pods.stop()
    cold.push(ended - began)
    // the activator probes the pod itself, and may find it ready before the API server does
    const probed = Math.min(ready, ended)
    const times = [began, created, scheduled, Math.min(sandbox, started), started, listening, probed, ended]
    stageNames.forEach((stage, n) => stages.get(stage)!.push(times[n + 1]! - times[n]!))
    for (let n = 0; n < 5; n++) {
      const { began, ended } = await first200()
      warm.push(ended - began)
    }
  }
  console.log(pc.bold('\nThe parts of a cold start of get-product (medians, maxima):'))
  for (const [stage, times] of stages)
    console.log(`  ${ms(median(times)).padStart(8)}  ${ms(Math.max(...times)).padStart(8)}  ${stage}`)
  console.log('')
  return { cold, warm, own: stages.get(stageNames[4])! }
}

const stageNames = [
  'request → pod made: gateway, ingress, activator, autoscaler, controllers',
  'pod made → scheduled',
  'scheduled → sandbox: kubelet, secrets, the pod’s network',
  'sandbox → process begins: queue-proxy and the function’s container',
  'process begins → listens: the function itself, its store connected',
  'listens → ready: queue-proxy’s probe, kubelet',
  'ready → answer: activator, the request',
] as const

/** Compares an order whose reactions are all at zero with warm ones. @param one ms of a cold start */
async function coldSaga(url: string, one: number): Promise<Result> {
  const customer = await shopClient(url).register()
  const cold: number[] = []
  const warm: number[] = []
  for (let round = 0; round < sagas; round++) {
    await atZero(saga)
    // starts the functions that place the order and read its timeline, which are not measured
    await call(`${url}/api/v1/orders/0/timeline`)
    await call(`${url}/api/v1/orders`, 'POST')
    cold.push(await confirmedIn(customer))
    for (let n = 0; n < 3; n++) warm.push(await confirmedIn(customer))
  }
  const later = median(cold) - median(warm)
  return {
    what: 'an order with all reactions at zero: later by',
    ours: `${ms(later)} (${ms(median(cold))} to confirmed; warm ${ms(median(warm))})`,
    against: `${ms(one)}, one cold start`,
    ratio: `${(later / one).toFixed(2)} ×`,
    goal: '≤ 1.5 ×',
    met: later <= 1.5 * one,
  }
}

interface Seen {
  name: string
  /** When the API server reported it, in ms since 1970. */
  created: number
  scheduled: number
  sandbox: number
  ready: number
}

/** The conditions of a pod that are watched, in the order in which they come true. */
const conditions = ['PodScheduled', 'PodReadyToStartContainers', 'Ready']

/** Watches a function's pods. `first` resolves to the first new pod once it is ready. */
function watchPods(name: string): { first: Promise<Seen>; stop: () => void } {
  const statuses = conditions.map((type) => `{.status.conditions[?(@.type=="${type}")].status}`)
  const child = spawn(
    'kubectl',
    [
      ...`get pods -n ${namespace} -l app.kubernetes.io/name=${name} --watch-only -o`.split(' '),
      `jsonpath={.metadata.name}{","}${statuses.join('{","}')}{"\\n"}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const first = new Promise<Seen>((resolve) => {
    const seen = new Map<string, number[]>()
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [name, ...is] = line.split(',') as [string, ...string[]]
      const now = Date.now()
      const times = seen.get(name) ?? [now]
      seen.set(name, times)
      for (const [n, status] of is.entries()) if (status === 'True') times[n + 1] ??= now
      const [created, scheduled, sandbox, ready] = times
      if (ready !== undefined)
        resolve({ name, created: created!, scheduled: scheduled ?? now, sandbox: sandbox ?? now, ready })
    })
  })
  return { first, stop: () => child.kill() }
}

/** Reads from a pod's log when its process started and when it listened, in ms since 1970. */
async function startOf(pod: string): Promise<{ started: number; listening: number }> {
  const log = await kubectl(['logs', '-n', namespace, pod, '-c', 'user-container'])
  const line = log.split('\n').find((line) => line.includes('"msg":"listening"'))
  if (line === undefined) throw new Error(`${pod} did not report that it listens: ${log}`)
  const { time, startMs } = JSON.parse(line) as { time: number; startMs: number }
  return { started: time - startMs, listening: time }
}

const ms = (value: number) => (value < 1_000 ? `${value.toFixed(0)} ms` : `${(value / 1_000).toFixed(2)} s`)
