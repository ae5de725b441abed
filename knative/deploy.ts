/** `npm run deploy -- --overlay local`: builds, loads and applies the shop, and waits until it is ready. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import { parseAllDocuments, stringify } from 'yaml'
import { dockerProblem, dockerSays, root } from '../images/docker.ts'
import { functionNames, serviceNames } from '../images/table.ts'
import { makeSecrets } from '../compose/secrets.ts'
import { functions, type FunctionName } from '../functions/table.ts'
import { readLimitsFactor } from '../functions/shared/http/limits-factor.ts'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { readArguments } from '../local/commands/arguments.ts'
import { gatewayUrl, imagesOf } from './cluster.ts'
import { explain } from './explain.ts'
import { get, kubectl } from './kubectl.ts'
import { discardRevisions, keepsItsPod, unrouted } from './revisions.ts'
import { secretObjects } from './secrets.ts'

const usage = `npm run deploy -- --overlay local|staging|production [--registry ghcr.io/you] [--no-build]
Deploys the shop to the cluster of KUBECONFIG. It needs Knative Serving: https://knative.dev/docs/install.
If LIMITS_FACTOR is set, it multiplies the limits on requests; 0 switches them off.`

/** The longest that resources of one kind may take to become ready, in seconds. */
const patience = 300

interface Resource {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  data?: Record<string, string>
}

const deployed = [...functionNames, ...serviceNames, 'gateway']

async function main(): Promise<void> {
  const { values } = readArguments(usage, {
    options: {
      overlay: { type: 'string' },
      registry: { type: 'string' },
      'no-build': { type: 'boolean' },
    },
  })
  if (values.overlay === undefined) throw new UserError(usage)
  const began = performance.now()
  await checkCluster()
  readLimitsFactor(process.env['LIMITS_FACTOR'])
  const problem = dockerProblem()
  if (problem !== undefined) throw new UserError(problem)

  await makeSecrets()
  if (!values['no-build']) {
    step('Building the images')
    const built = spawnSync(process.execPath, [join(root, 'images/build.ts')], { stdio: 'inherit' })
    if (built.status !== 0) throw new UserError('The images could not be built: see above.')
  }
  const rendered = await render(values.overlay, values.registry)
  const namespace = rendered.find(({ kind }) => kind === 'Namespace')?.metadata.name
  if (namespace === undefined) throw new UserError(`The overlay ${values.overlay} has no Namespace.`)

  step(`Applying the resources that the functions need, in the namespace ${namespace}`)
  const isLate = ({ kind, metadata }: Resource) =>
    kind === 'Job' ||
    (metadata.labels?.['app.kubernetes.io/part-of'] === 'zeroshop' &&
      ((kind === 'Deployment' && deployed.includes(metadata.name)) ||
        (kind === 'Service' && Object.hasOwn(functions, metadata.name))))
  await apply(rendered.filter(({ kind }) => kind === 'Namespace'))
  await apply(secretObjects(namespace))
  await apply(rendered.filter((resource) => !isLate(resource)))
  await waitFor(namespace, 'statefulsets', (item) => item.status?.readyReplicas === item.spec?.replicas)

  step('Migrating the stores')
  await kubectl(['delete', 'job', 'migrate', '-n', namespace, '--ignore-not-found', '--wait'])
  await apply(rendered.filter(({ kind }) => kind === 'Job'))
  await waitFor(namespace, 'jobs', (item) => item.status?.succeeded === 1)

  step('Applying the functions')
  await apply(rendered.filter((resource) => isLate(resource) && resource.kind !== 'Job'))
  await waitFor(namespace, 'deployments', isRolledOut, [
    '-l',
    'app.kubernetes.io/name in (gateway,relay,dispatcher)',
  ])
  await waitFor(namespace, 'services.serving.knative.dev', isReady)
  await discardRevisions(namespace, unrouted, keepsItsPod)
  await announce(namespace, (performance.now() - began) / 1000)
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

/** Loads the present images into the cluster. Returns the resources of the overlay with these images. */
async function render(overlay: string, registry: string | undefined): Promise<Resource[]> {
  const images = await imagesOf(registry)
  step('Loading the images into the cluster')
  const named: { name: string; newName: string; newTag: string }[] = []
  for (const name of deployed) {
    const local = `zeroshop/${name}`
    // the tag depends on the content, so a function that has not changed keeps its revision
    const id = (await dockerSays(['image', 'inspect', '--format', '{{.Id}}', `${local}:latest`])).trim()
    const tag = id.replace('sha256:', '').slice(0, 12)
    const full = images.name(local, tag)
    await dockerSays(['tag', `${local}:latest`, full])
    named.push({ name: local, newName: full.slice(0, -tag.length - 1), newTag: tag })
  }
  const all = named.map(({ newName, newTag }) => `${newName}:${newTag}`)
  // the cluster pulls the stores' images from their registry
  await images.load(all)
  const folder = join(root, '.data/knative', overlay)
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'kustomization.yaml'),
    stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(folder, join(root, 'knative/overlays', overlay))],
      images: named,
    }),
  )
  const text = await kubectl(['kustomize', folder])
  return parseAllDocuments(text).map((document) => withLimits(document.toJS() as Resource))
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
    succeeded?: number
    observedGeneration?: number
    conditions?: { type: string; status: string; message?: string }[]
  }
  metadata: Resource['metadata'] & { generation: number }
}

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

await run(main)
