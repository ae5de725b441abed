/** `npm run deploy -- --overlay local`: builds, loads and applies the shop, and waits until it is ready. */
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { buildChangedImages, dockerProblem, dockerSays } from '../images/docker.ts'
import { functionNames, serviceNames } from '../images/table.ts'
import { makeSecrets } from '../compose/secrets.ts'
import { functions, type FunctionName } from '../functions/table.ts'
import { readLimitsFactor } from '../functions/shared/http/limits-factor.ts'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { gatewayUrl, imagesOf, type Images } from './cluster.ts'
import { explain } from './explain.ts'
import { get, kubectl } from './kubectl.ts'
import { observeKnative } from './observability.ts'
import {
  componentsOf,
  generatedFolder,
  includes,
  logCollectorOf,
  logNamespaceOf,
  readOverlay,
  render,
  withAdditions,
  type Image,
  type Resource,
} from './overlay.ts'
import { discardRevisions, keepsItsPod, unrouted } from './revisions.ts'
import { secretObjects } from './secrets.ts'

const usage = `npm run deploy -- --overlay local|staging|production [--with monitoring,logging] [--registry ghcr.io/you] [--no-build]
Deploys the shop to the cluster of KUBECONFIG. It needs Knative Serving: https://knative.dev/docs/install.
  --with   more components of knative/components, or paths of folders with others. monitoring: metrics, traces,
           dashboards and alerts; logging: logs that can be searched; prometheus-operator: after monitoring, if the
           cluster has one
If LIMITS_FACTOR is set, it multiplies the limits on requests; 0 switches them off. With monitoring,
ALERTS_TO=webhook ALERT_WEBHOOK_URL=https://… sends alerts.`

/** The longest that resources of one kind may take to become ready, in seconds. Each function starts once. */
const patience = 900

const deployed = [...functionNames, ...serviceNames, 'gateway']

async function main(): Promise<void> {
  const { values } = readArguments(usage, {
    options: {
      overlay: { type: 'string' },
      with: { type: 'string' },
      registry: { type: 'string' },
      'no-build': { type: 'boolean' },
    },
  })
  if (values.overlay === undefined) throw new UserError(usage)
  const overlay = readOverlay(values.overlay)
  const { namespace } = overlay
  const components = values.with === undefined ? [] : componentsOf(values.with)
  const hasPart = (name: string) => includes([...overlay.components, ...components], name)
  const began = performance.now()
  await checkCluster()
  readLimitsFactor(process.env['LIMITS_FACTOR'])
  const problem = dockerProblem()
  if (problem !== undefined) throw new UserError(problem)

  await makeSecrets()
  if (!values['no-build']) {
    step('Building the images')
    if (buildChangedImages() !== 0) throw new UserError('The images could not be built: see above.')
  }
  const source = await imagesOf(values.registry)
  const images = await nameImages(source)
  const at = generatedFolder(values.overlay)
  const additions = { components, images, alertsTo: process.env['ALERTS_TO'] }
  const rendered = (await render(at, withAdditions(overlay, additions, at))).map(withLimits)
  await loadImages(source, rendered, images)

  step(`Applying the resources that the functions need, in the namespace ${namespace}`)
  const isLate = ({ kind, metadata }: Resource) =>
    kind === 'Job' ||
    (metadata.labels?.['app.kubernetes.io/part-of'] === 'zeroshop' &&
      ((kind === 'Deployment' && [...deployed, 'check-books'].includes(metadata.name)) ||
        (kind === 'Service' && Object.hasOwn(functions, metadata.name))))
  await apply(rendered.filter(({ kind }) => kind === 'Namespace'))
  await apply(secretObjects(namespace))
  await apply(rendered.filter((resource) => !isLate(resource)))
  if (hasPart('logging')) await collectLogs(namespace)
  if (hasPart('monitoring')) {
    step('Having Knative send its metrics')
    await observeKnative(namespace)
  }
  await waitFor(namespace, 'statefulsets', hasReplicas)

  step('Migrating the stores')
  await kubectl(['delete', 'job', 'migrate', '-n', namespace, '--ignore-not-found', '--wait'])
  await apply(rendered.filter(({ kind }) => kind === 'Job'))
  await waitFor(namespace, 'jobs', (item) => item.status?.succeeded === 1)

  step('Applying the functions')
  await apply(rendered.filter((resource) => isLate(resource) && resource.kind !== 'Job'))
  const deployments = rendered
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ metadata }) => metadata.name)
  await waitFor(namespace, 'deployments', isRolledOut, [
    '-l',
    // not those that Knative makes
    `app.kubernetes.io/name in (${deployments.join(',')})`,
  ])
  await waitFor(namespace, 'services.serving.knative.dev', isReady)
  await discardRevisions(namespace, unrouted, keepsItsPod)
  await announce(namespace, (performance.now() - began) / 1000)
  if (hasPart('monitoring')) announceGrafana(namespace)
}

const step = (what: string) => console.log(pc.dim(`${what} …`))

async function checkCluster(): Promise<void> {
  await kubectl(['get', '--raw', '/readyz', '--request-timeout=10s']).catch((error: unknown) => {
    const why = error instanceof Error ? error.message.split('\n').at(-1) : String(error)
    throw new UserError(`The cluster cannot be reached (${why}). Start it, or set KUBECONFIG.`)
  })
  await kubectl(['get', 'crd', 'services.serving.knative.dev', '-o', 'name']).catch(() => {
    throw new UserError(
      'The cluster has no Knative Serving. Install it (https://knative.dev/docs/install), then try again.',
    )
  })
}

/** Returns the names and tags that the images have in the cluster. */
async function nameImages(source: Images): Promise<Image[]> {
  const local = deployed.map((name) => `zeroshop/${name}`)
  const present = local.map((name) => `${name}:latest`)
  const ids = (await dockerSays(['image', 'inspect', '--format', '{{.Id}}', ...present])).trim().split('\n')
  return local.map((name, i) => {
    // the tag depends on the content, so a function that has not changed keeps its revision
    const tag = ids[i]!.replace('sha256:', '').slice(0, 12)
    return { name, newName: source.name(name, tag).slice(0, -tag.length - 1), newTag: tag }
  })
}

/** Loads those images into the cluster that are in the resources: a component may leave out functions. */
async function loadImages(source: Images, resources: readonly Resource[], images: readonly Image[]) {
  step('Loading the images into the cluster')
  const found = JSON.stringify(resources)
  const used: string[] = []
  for (const { name, newName, newTag } of images) {
    const full = `${newName}:${newTag}`
    if (!found.includes(JSON.stringify(full))) continue
    await dockerSays(['tag', `${name}:latest`, full])
    used.push(full)
  }
  // it pulls those of the stores from their registry
  await source.load(used)
}

/** Deploys the collector of the shop's logs, in the namespace that it has of its own. */
async function collectLogs(namespace: string): Promise<void> {
  const own = logNamespaceOf(namespace)
  step(`Applying the log collector, in the namespace ${own}`)
  const at = generatedFolder(own)
  const rendered = await render(at, logCollectorOf(namespace, at))
  await apply(rendered.filter(({ kind }) => kind === 'Namespace'))
  await apply(rendered.filter(({ kind }) => kind !== 'Namespace'))
  await waitFor(own, 'daemonsets', runsOnEachNode)
}

/** Sets the limits in the functions' settings, if LIMITS_FACTOR says so. */
function withLimits(resource: Resource): Resource {
  const factor = process.env['LIMITS_FACTOR']
  if (factor === undefined || resource.kind !== 'ConfigMap' || resource.metadata.name !== 'settings')
    return resource
  return { ...resource, data: { ...resource.data, LIMITS_FACTOR: factor } }
}

async function apply(resources: unknown[]): Promise<void> {
  if (resources.length === 0) return
  const text = resources.map((resource) => JSON.stringify(resource)).join('\n---\n')
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text)
}

interface Item extends Resource {
  spec?: { replicas?: number }
  status?: {
    replicas?: number
    readyReplicas?: number
    updatedReplicas?: number
    availableReplicas?: number
    desiredNumberScheduled?: number
    updatedNumberScheduled?: number
    numberReady?: number
    succeeded?: number
    observedGeneration?: number
    conditions?: { type: string; status: string; message?: string }[]
  }
  metadata: Resource['metadata'] & { generation: number }
}

const hasReplicas = ({ spec, status }: Item) => (status?.readyReplicas ?? 0) === spec?.replicas

const runsOnEachNode = ({ metadata, status }: Item) =>
  status?.observedGeneration === metadata.generation &&
  status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
  status?.numberReady === status?.desiredNumberScheduled

/** Whether no pod of an earlier version is left, by the rules of `kubectl rollout status`. */
const isRolledOut = ({ metadata, spec, status }: Item) =>
  status?.observedGeneration === metadata.generation &&
  (status?.updatedReplicas ?? 0) >= (spec?.replicas ?? 1) &&
  status?.replicas === status?.updatedReplicas &&
  status?.availableReplicas === status?.updatedReplicas

const isReady = ({ metadata, status }: Item) =>
  status?.observedGeneration === metadata.generation &&
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/**
 * Waits until every resource of a kind is good.
 * @throws UserError if some are not good in time; it says why their pods are not ready
 */
async function waitFor(
  namespace: string,
  kind: string,
  isGood: (item: Item) => boolean,
  selector: string[] = [],
): Promise<void> {
  const until = performance.now() + patience * 1000
  for (;;) {
    const { items } = await get<{ items: Item[] }>([kind, '-n', namespace, ...selector])
    const bad = items.filter((item) => !isGood(item)).map(({ metadata }) => metadata.name)
    if (bad.length === 0) return
    if (performance.now() > until)
      throw new UserError(
        `Not ready within ${patience} s:\n${await explain(namespace, bad)}\n${hint(bad)}Fix this, then run npm run deploy again.`,
      )
    await pause(1_000)
  }
}

/** Returns what the cluster may lack if exactly these functions are not ready. */
const hint = (names: string[]) =>
  names.every((name) => Object.hasOwn(functions, name) && functions[name as FunctionName].scaling === 'cpu')
    ? 'They scale on CPU, which needs serving-hpa.yaml of Knative, and the metrics server of Kubernetes.\n'
    : ''

async function announce(namespace: string, seconds: number): Promise<void> {
  const url = await gatewayUrl(namespace)
  const reach =
    url === undefined
      ? `kubectl -n ${namespace} port-forward service/gateway 8080:80, then http://localhost:8080`
      : url
  console.log(`
${pc.bold(pc.green('Zeroshop'))} is at ${pc.bold(reach)} (ready in ${seconds.toFixed(0)} s)

  kubectl -n ${namespace} get ksvc       lists the functions with their addresses
  SHOP_PASSWORD=$(cat compose/secrets/demo-password) npm run demo:scale -- --url ${url ?? 'http://localhost:8080'} --namespace ${namespace}
  npm run undeploy -- --namespace ${namespace}
`)
}

const announceGrafana = (namespace: string) =>
  console.log(`  kubectl -n ${namespace} port-forward service/grafana 3000:80
    shows the dashboards at http://localhost:3000: admin, with the password in compose/secrets/grafana-admin-password
`)

await run(main)
