/**
 * `npm run canary -- create-order --image …`: shifts the requests of a function to a new version step by
 * step, and back if the new version is worse.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { pattern } from '../compose/caddyfile.ts'
import { operations, type OperationName } from '../functions/table.ts'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { keepsEnding, reasonOf, type Pod } from './explain.ts'
import { count, defaults, judge, nothing, p99, percent, type Seen, type Verdict } from './judge.ts'
import { get, kubectl } from './kubectl.ts'
import { discardRevisions, keepsItsPod, unrouted } from './revisions.ts'

const usage = `npm run canary -- FUNCTION --image IMAGE [--steps 5,25,50,100] [--seconds 30] [--namespace zeroshop]
  --steps     the percentages of the requests that the new version gets; --steps 100 is blue-green
  --seconds   the shortest time for each step; a step takes up to ten times that if it has too few requests.
              A version that seems slower is watched for three times as long before it is rejected.
Ctrl-C goes back to the old version.`

/** The longest that a new revision may take to become ready, in seconds. */
const patience = 180

interface Service {
  spec: {
    template: {
      metadata: { annotations?: Record<string, string> }
      spec: { containers: [{ image: string }] }
    }
  }
  status: {
    latestReadyRevisionName: string
    latestCreatedRevisionName: string
    /** At least one. */
    traffic: [{ revisionName: string; percent: number }]
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(usage, {
    allowPositionals: true,
    options: {
      image: { type: 'string' },
      steps: { type: 'string', default: '5,25,50,100' },
      seconds: { type: 'string', default: '30' },
      namespace: { type: 'string', default: 'zeroshop' },
    },
  })
  const [name] = positionals
  if (name === undefined || values.image === undefined) throw new UserError(usage)
  if (!Object.hasOwn(operations, name))
    throw new UserError(
      `${name} is not an operation. A canary is watched at the gateway, which calls only those.`,
    )
  const steps = values.steps.split(',').map(Number)
  const seconds = Number(values.seconds)
  if (!(seconds > 0) || steps.at(-1) !== 100 || steps.some((step, n) => !(step > (steps[n - 1] ?? 0))))
    throw new UserError(`--steps must increase up to 100, and --seconds must be above 0.\n${usage}`)
  const { namespace, image } = values
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())

  const { spec, status } = await service(namespace, name)
  const earlier = spec.template.spec.containers[0].image
  if (earlier === image) throw new UserError(`${name} already has the image ${image}.`)
  // not the latest revision, because someone may have shifted the requests by hand
  const before = status.traffic.toSorted((a, b) => b.percent - a.percent)[0]!.revisionName
  const shift = (traffic: object[]) => patch(namespace, name, 'merge', { spec: { traffic } })
  // pinned, so that the new revision does not get requests automatically
  await shift([{ revisionName: before, percent: 100 }])
  const watching = watchGateway(namespace, name as OperationName)
  try {
    const after = await create(namespace, name, image, stopping.signal)
    watching.suspect = after
    for (const step of steps) {
      console.log(
        pc.bold(`${step} % to ${after}`) + pc.dim(step < 100 ? `, ${100 - step} % to ${before}` : ''),
      )
      await shift(
        [
          { revisionName: before, percent: 100 - step },
          { revisionName: after, percent: step },
        ].filter(({ percent }) => percent > 0),
      )
      await watch(watching.seen, { before, after, seconds, signal: stopping.signal })
    }
    // no longer pinned: the next deploy's revision gets the requests
    await shift([{ latestRevision: true, percent: 100 }])
    await discardRevisions(namespace, `${unrouted},serving.knative.dev/service=${name}`, keepsItsPod)
    console.log(pc.green(`${name} is at ${after}.`))
  } catch (error) {
    await shift([{ revisionName: before, percent: 100 }])
    // Otherwise the next change of the function would bring the new version back, and Knative would keep
    // trying to start a revision that does not start.
    await setImage(namespace, name, earlier)
    await discardRevisions(
      namespace,
      `serving.knative.dev/service=${name}`,
      ({ spec }) => spec.containers[0].image === image,
    )
    throw error instanceof UserError
      ? new UserError(`${error.message}. All requests go to ${before} again.`)
      : error
  } finally {
    watching.stop()
  }
}

const service = (namespace: string, name: string) =>
  get<Service>(['services.serving.knative.dev', name, '-n', namespace])

const patch = (namespace: string, name: string, type: 'merge' | 'json', change: object) =>
  kubectl([
    ...`patch services.serving.knative.dev ${name} -n ${namespace} --type ${type} -p`.split(' '),
    JSON.stringify(change),
  ])

const initialScale = '/spec/template/metadata/annotations/autoscaling.knative.dev~1initial-scale'

const setImage = (namespace: string, name: string, image: string) =>
  patch(namespace, name, 'json', [
    { op: 'replace', path: '/spec/template/spec/containers/0/image', value: image },
    // a version gets requests only once it has started, also where the cluster's initial scale is zero
    { op: 'add', path: initialScale, value: '1' },
  ])

/**
 * Makes the revision with the image, and waits until it is ready.
 * @returns the name of the revision
 * @throws UserError if it does not become ready
 */
async function create(namespace: string, name: string, image: string, signal: AbortSignal): Promise<string> {
  const { status: earlier } = await service(namespace, name)
  await setImage(namespace, name, image)
  console.log(pc.dim(`Starting ${image} …`))
  let revision = earlier.latestCreatedRevisionName
  let pods: Pod[] = []
  const until = performance.now() + patience * 1000
  while (performance.now() < until) {
    if (signal.aborted) throw new UserError('Stopped')
    const { status } = await service(namespace, name)
    revision = status.latestCreatedRevisionName
    const isNew = revision !== earlier.latestCreatedRevisionName
    if (isNew && status.latestReadyRevisionName === revision) return revision
    if (isNew) {
      const selector = `serving.knative.dev/revision=${revision}`
      pods = (await get<{ items: Pod[] }>(['pods', '-n', namespace, '-l', selector])).items
      if (pods.some(keepsEnding) || (await hasFailed(namespace, revision))) break
    }
    await pause(1_000)
  }
  const why = pods.map(reasonOf).find((reason) => reason !== undefined)
  throw new UserError(`The new version does not become ready${why === undefined ? '' : ` (${why})`}`)
}

/** Whether Knative has given up starting a revision. */
async function hasFailed(namespace: string, revision: string): Promise<boolean> {
  const { status } = await get<{ status?: { conditions?: { type: string; status: string }[] } }>([
    'revisions.serving.knative.dev',
    revision,
    '-n',
    namespace,
  ])
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'False') === true
}

/**
 * Follows the access logs of the gateway from now on, and counts the function's requests by revision. It
 * looks for new pods every second, because the gateway scales.
 */
function watchGateway(namespace: string, name: OperationName) {
  const { method, path } = operations[name]
  const address = new RegExp(`^${pattern(path)}(?:\\?|$)`)
  const isOurs = (asked: string, uri: string) => asked === method.toUpperCase() && address.test(uri)
  const followed = new Map<string, { child: ChildProcess; heard: number }>()
  const stopping = new AbortController()
  const watching = {
    seen: new Map<string, Seen>(),
    suspect: undefined as string | undefined,
    stop: () => {
      stopping.abort()
      for (const { child } of followed.values()) child.kill()
    },
  }
  const follow = (pod: string) => {
    const child = spawn('kubectl', ['logs', pod, '-n', namespace, '-f', '--since', '1s'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const following = { child, heard: performance.now() }
    followed.set(pod, following)
    // if kubectl ends before its pod does, it is started again
    child.once('close', () => followed.delete(pod))
    createInterface({ input: child.stdout }).on('line', (line) => {
      following.heard = performance.now()
      count(line, watching.seen, { isOurs, suspect: watching.suspect })
    })
  }
  const look = async () => {
    const pods = await kubectl([
      ...`get pods -n ${namespace} -l app.kubernetes.io/name=gateway`.split(' '),
      ...'--field-selector status.phase=Running -o name'.split(' '),
    ])
    for (const pod of pods.split('\n'))
      if (pod !== '' && !followed.has(pod) && !stopping.signal.aborted) follow(pod)
    // after a log is rotated or a connection breaks, kubectl may print nothing more and yet not end
    for (const { child, heard } of followed.values()) if (performance.now() - heard > 10_000) child.kill()
  }
  const keepLooking = async () => {
    while (!stopping.signal.aborted) {
      // errors are ignored: it tries again in a second, and if it sees too few requests, there is no verdict
      await look().catch(() => {})
      await pause(1_000)
    }
  }
  void keepLooking()
  return watching
}

/**
 * After how many slow periods a new version is rejected. Other work on the machine may slow down one of them.
 */
const slowPeriods = 3

/**
 * Watches a step for `seconds`, and longer if there are too few requests or the new version is slower.
 * @throws UserError if the new version is worse: as soon as more of its requests fail, or if it stays slower.
 *   Also if there are still too few requests, or `signal` is aborted.
 */
async function watch(
  all: Map<string, Seen>,
  { before, after, seconds, signal }: { before: string; after: string; seconds: number; signal: AbortSignal },
): Promise<void> {
  const of = (revision: string) => all.get(revision) ?? nothing()
  // once all requests go to the new version, it is compared with the old one's earlier requests
  const earlier = of(before)
  const old = () => (of(before).requests < defaults.leastRequests ? earlier : of(before))
  all.clear()
  let verdict: Verdict = { is: 'unclear', why: 'it has just begun' }
  let begun = 0
  let slow = 0
  for (let second = 1; second <= seconds * 10; second++) {
    await pause(1_000, undefined, { signal }).catch(() => {})
    if (signal.aborted) throw new UserError('Stopped')
    verdict = judge(old(), of(after))
    if (second % 5 === 0) console.log(`  old ${describe(old())}   new ${describe(of(after))}`)
    if (verdict.is === 'failing') break
    if (second - begun < seconds) continue
    if (verdict.is === 'good') return
    if (verdict.is === 'slow') {
      if (++slow === slowPeriods) break
      console.log(pc.dim(`  Slower: ${verdict.why}. Watching for another ${seconds} s …`))
      all.clear()
      begun = second
    }
  }
  if (verdict.is === 'unclear') throw new UserError(`There were too few requests: ${verdict.why}`)
  if (verdict.is !== 'good') throw new UserError(`The new version is worse: ${verdict.why}`)
}

const describe = (seen: Seen) =>
  `${String(seen.requests).padStart(5)} requests, ${percent(seen.requests === 0 ? 0 : seen.failed / seen.requests)} failed, p99 ${p99(seen).toFixed(0)} ms`

await run(main)
