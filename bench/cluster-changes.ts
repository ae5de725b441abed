import autocannon from 'autocannon'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { get } from '../knative/kubectl.ts'
import { annotate, namespace, openCluster, windowIs } from './cluster.ts'
import type { Result } from './result.ts'

/** The minimum number of requests of a measurement. */
const enough = 20_000
/** Requests per second: half of what two cores sustain with all components on the same machine. */
const rate = 250

/** Counts failed requests under a steady load while a revision is rolled out and while pods are removed. */
export async function clusterChanges(): Promise<Result[]> {
  const url = await openCluster()
  const target = `${url}/api/v1/products?limit=5`
  // a low concurrency target, so that the load needs several pods
  const small = { ...windowIs('6s'), 'autoscaling.knative.dev/target': '2' }
  await annotate('list-products', small)
  try {
    return [await rolling(target, small), await scalingDown(target)]
  } finally {
    await annotate('list-products', {
      ...windowIs('60s'),
      'autoscaling.knative.dev/target': '50',
      'zeroshop.dev/roll': null,
    })
  }
}

async function rolling(url: string, annotations: Record<string, string>): Promise<Result> {
  let rolled = 0
  const result = await steady(url, async (isOver) => {
    while (!isOver()) {
      await annotate('list-products', { ...annotations, 'zeroshop.dev/roll': String(++rolled) })
      await pause(5_000)
    }
  })
  return toResult(`${rolled} revisions rolled out`, result)
}

async function scalingDown(url: string): Promise<Result> {
  let most = 0
  let ended = 0
  const result = await steady(url, async (isOver) => {
    let before = 0
    while (!isOver()) {
      // bursts add pods, which are removed again under the steady load
      await autocannon({ url, connections: 40, amount: 1_500 })
      for (let second = 0; second < 25 && !isOver(); second++) {
        const pods = await countPods()
        most = Math.max(most, pods)
        ended += Math.max(0, before - pods)
        before = pods
        await pause(1_000)
      }
    }
  })
  return toResult(`${ended} pods scaled down, from ${most} at most`, result)
}

async function countPods(): Promise<number> {
  const pods = ['pods', '-n', namespace, '-l', 'app.kubernetes.io/name=list-products']
  const { items } = await get<{ items: { metadata: { deletionTimestamp?: string } }[] }>(pods)
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length
}

/** Sends enough requests at a steady rate while `change` runs. */
async function steady(url: string, change: (isOver: () => boolean) => Promise<void>) {
  let isOver = false
  console.error(pc.dim(`${enough} requests, ${rate} per second …`))
  const load = autocannon({ url, connections: 16, amount: enough, overallRate: rate, timeout: 60 })
  // autocannon returns a thenable without `finally`
  const done = Promise.resolve(load).finally(() => (isOver = true))
  const [result] = await Promise.all([done, change(() => isOver)])
  return result
}

function toResult(what: string, result: autocannon.Result): Result {
  const failed = result.non2xx + result.errors
  const sent = result.requests.sent
  return {
    what: `requests failed while ${what}`,
    ours: `${failed} of ${sent}`,
    against: `p50 ${result.latency.p50} ms, p99 ${result.latency.p99} ms`,
    ratio: '',
    goal: `0 of ≥ ${enough}`,
    met: failed === 0 && sent >= enough,
  }
}
