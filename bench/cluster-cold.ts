import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { shopClient } from '../demo/client/shop.ts'
import { freshMs } from '../events/wake.ts'
import { kubectl } from '../knative/kubectl.ts'
import { deployGoServers, removeGoServers } from './cluster-baseline.ts'
import { annotate, atZero, namespace, openCluster, routeOf, windowIs } from './cluster.ts'
import { call, median, p95, type Answer } from './harness.ts'
import { productUrl } from './shop.ts'
import type { Result } from './result.ts'
import { confirmedIn } from './saga.ts'

const starts = 8
const sagas = 5
const saga = ['reserve-stock', 'authorize-payment', 'confirm-order', 'track-order']

const goServers = ['go-server-1', 'go-server-2', 'go-server-3', 'go-server-4']

/** Measures cold starts of `get-product` and their parts, in alternation with those of a static Go server. */
export const clusterCold = () => besideGoServers(['get-product'], goServers.slice(0, 1), coldStarts)

/** Compares an order whose reactions are all at zero with as many static Go servers that start from zero at once. */
export const clusterSaga = () =>
  besideGoServers(['get-product', ...saga], goServers, async (url) => [await coldSaga(url)])

/** Measures with a window of 6 s for these functions and Go servers, so that they scale to zero soon. */
async function besideGoServers(
  functions: string[],
  servers: string[],
  measure: (url: string) => Promise<Result[]>,
): Promise<Result[]> {
  const url = await openCluster()
  try {
    for (const name of functions) await annotate(name, windowIs('6s'))
    // after that, so that the copies of get-product have the same window
    await deployGoServers(servers)
    return await measure(url)
  } finally {
    await removeGoServers(servers)
    for (const name of functions) await annotate(name, windowIs('60s'))
  }
}

async function coldStarts(url: string): Promise<Result[]> {
  const product = new URL(await productUrl(url)).pathname
  const ours: ColdStart[] = []
  const gos: ColdStart[] = []
  const warm: number[] = []
  const goServer = goServers[0]!
  for (let round = 0; round < starts; round++) {
    await atZero(['get-product', goServer])
    const measureOurs = async () => void ours.push(await coldStartOf('get-product', product))
    const measureGo = async () => void gos.push(await coldStartOf(goServer, '/'))
    // each is first in every other round
    const order = round % 2 === 0 ? [measureOurs, measureGo] : [measureGo, measureOurs]
    for (const measure of order) await measure()
    const ask = await routeOf('get-product')
    for (let n = 0; n < 5; n++) {
      const { began, ended } = await answer(ask, product)
      warm.push(ended - began)
    }
  }
  const stage = (of: ColdStart[], n: number) => of.map(({ stages }) => stages[n]!)
  console.log(
    pc.bold('\nThe parts of a cold start (medians, maxima) of get-product, and of a static Go server:'),
  )
  stageNames.forEach((name, n) => {
    const figures = [stage(ours, n), stage(gos, n)].flatMap((times) => [median(times), Math.max(...times)])
    console.log(`${figures.map((figure) => ms(figure).padStart(9)).join('')}  ${name}`)
  })
  console.log('')
  const cold = ours.map(({ total }) => total)
  const goCold = gos.map(({ total }) => total)
  const ratio = median(cold) / median(goCold)
  const own = median(stage(ours, ownStart))
  return [
    {
      what: 'get-product, 0 → 1: first answer',
      ours: `p50 ${ms(median(cold))}, p95 ${ms(p95(cold))} (warm ${ms(median(warm))})`,
      against: `p50 ${ms(median(goCold))}, p95 ${ms(p95(goCold))}: static Go server`,
      ratio: `${ratio.toFixed(2)} ×`,
      goal: '≤ 1.10 ×',
      met: ratio <= 1.1,
    },
    {
      what: 'of that the function’s own start',
      ours: ms(own),
      against: `${ms(median(stage(gos, ownStart)))}: static Go server`,
      ratio: '',
      goal: '≤ 150 ms',
      met: own <= 150,
    },
  ]
}

interface ColdStart {
  /** From the request to its answer, in ms. */
  total: number
  /** The parts of that, by `stageNames`. */
  stages: number[]
}

/** Starts a function that is at zero with a request. */
async function coldStartOf(name: string, path: string): Promise<ColdStart> {
  // for a moment, the API server is busy with the removal of the last pod
  await pause(1_000)
  const ask = await routeOf(name)
  const pods = watchPods(name)
  await pause(500)
  const { began, ended } = await answer(ask, path)
  const { name: pod, created, scheduled, sandbox, ready } = await pods.first
  const { started, listening } = await startOf(pod)
  pods.stop()
  // the activator probes the pod itself, and may find it ready before the API server does
  const probed = Math.min(ready, ended)
  const times = [began, created, scheduled, Math.min(sandbox, started), started, listening, probed, ended]
  return { total: ended - began, stages: stageNames.map((_, n) => times[n + 1]! - times[n]!) }
}

/** Sends a request. Returns when it was sent and answered, in ms since 1970. @throws if it fails */
async function answer(ask: (path: string) => Promise<Answer>, path: string) {
  const began = Date.now()
  const { status } = await ask(path)
  if (status !== 200) throw new Error(`${path} returned ${status}`)
  return { began, ended: Date.now() }
}

const ownStart = 4

const stageNames = [
  'request → pod made: ingress, activator, autoscaler, controllers',
  'pod made → scheduled',
  'scheduled → sandbox: kubelet, secrets, the pod’s network',
  'sandbox → process begins: queue-proxy and the function’s container',
  'process begins → listens: the function itself, its store connected',
  'listens → ready: queue-proxy’s probe, kubelet',
  'ready → answer: activator, the request',
] as const

/** Compares an order whose reactions are all at zero with as many Go servers that start from zero at once. */
async function coldSaga(url: string): Promise<Result> {
  const customer = await shopClient(url).register()
  const cold: number[] = []
  const warm: number[] = []
  const go: number[] = []
  for (let round = 0; round < sagas; round++) {
    const forgotten = pause(freshMs)
    await atZero([...saga, ...goServers])
    const asks = await Promise.all(goServers.map(routeOf))
    const began = Date.now()
    await Promise.all(asks.map((ask) => answer(ask, '/')))
    go.push(Date.now() - began)
    // until the Go servers are gone, too, because their removal costs CPU
    await atZero(goServers)
    // starts the functions that place the order and read its timeline, which are not measured
    await call(`${url}/api/v1/orders/0/timeline`)
    await call(`${url}/api/v1/orders`, 'POST')
    // the dispatcher wakes no reaction that answered less than half a stable window of Knative's default ago
    await forgotten
    cold.push(await confirmedIn(customer))
    for (let n = 0; n < 3; n++) warm.push(await confirmedIn(customer))
  }
  const ratio = median(cold) / median(go)
  return {
    what: 'an order with all reactions at zero, to confirmed',
    ours: `${ms(median(cold))} (warm ${ms(median(warm))})`,
    against: `${ms(median(go))}: ${goServers.length} static Go servers at once`,
    ratio: `${ratio.toFixed(2)} ×`,
    goal: '≤ 1.15 ×',
    met: ratio <= 1.15,
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
