import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { functions, operations, domains, type Domain, type FunctionName } from '../functions/table.ts'
import type { OperationRow, ReactionRow } from '../functions/shared/domain.ts'
import { caddyfile } from '../compose/caddyfile.ts'
import { fillMarked } from '../compose/marked.ts'
import { isCore, listens, networksOf, secretsOf, serviceSecrets } from '../functions/deployment.ts'
import { mountedDashboards, mountedRules } from '../grafana/kustomization.ts'
import { prometheusRules } from './prometheus-rules.ts'

/** Returns every generated file in knative/, by its path in the project. */
export function manifests(): Map<string, string> {
  const names = Object.keys(functions) as FunctionName[]
  return new Map([
    ...names.map((name) => [`knative/base/functions/${name}.yaml`, yaml(service(name))] as [string, string]),
    [
      'knative/base/functions/kustomization.yaml',
      yaml({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: names.map((name) => `${name}.yaml`),
      }),
    ],
    ['knative/base/platform/Caddyfile', caddyfile('knative')],
    ...(['migrate', 'relay', 'dispatcher'] as const).map(platformPart),
    canaryAccount(),
    ['knative/components/small-node/kustomization.yaml', smallNode()],
    filled('components/monitoring/prometheus.yaml', 'rules', mountedRules()),
    filled('components/monitoring/grafana.yaml', 'dashboards', mountedDashboards()),
    [
      'knative/components/prometheus-operator/rules.yaml',
      `# Generated from grafana/alerts by npm run generate (knative/prometheus-rules.ts).\n${prometheusRules()
        .map((rule) => stringify(rule, { lineWidth: 0 }))
        .join('---\n')}`,
    ],
    // kustomize does not read files outside of its folder
    ...['nats.conf', 'pgbouncer.ini'].map(
      (name) => [`knative/components/stores/${name}`, storeConfig(name)] as [string, string],
    ),
  ])
}

const storeConfig = (name: string) => readFileSync(join(import.meta.dirname, '../compose', name), 'utf8')

const yaml = (object: unknown) =>
  `# Generated from the domains' declarations by npm run generate (knative/manifests.ts).\n${stringify(object, { lineWidth: 110 })}`

/** Returns a file that is written by hand, with its generated part brought up to date. */
function filled(file: string, mark: string, lines: readonly string[]): [path: string, text: string] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8')
  return [`knative/${file}`, fillMarked(text, mark, lines)]
}

/** Returns a file of the platform with its generated part: the secrets, which depend on the domains. */
function platformPart(name: 'migrate' | 'relay' | 'dispatcher') {
  const env = Object.entries(serviceSecrets[name]).map(
    ([setting, file]) => `  - { name: ${setting}_FILE, value: /run/secrets/${file} }`,
  )
  return filled(`base/platform/${name}.yaml`, 'env', ['env:', ...env])
}

/** Returns the canary's service account, which may change operations only. */
const canaryAccount = () =>
  filled('components/canary/canary.yaml', 'operations', [
    `resourceNames: [${Object.keys(operations).join(', ')}]`,
  ])

/** Returns the Knative Service of a function. */
function service(name: FunctionName) {
  const row = functions[name]
  const isOperation = name in operations
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name,
      labels: {
        ...labels(name),
        // for clusters that are too small for all functions, as Compose's profiles
        'zeroshop.dev/profile': isCore(name) ? 'core' : 'rest',
        // only the dispatcher calls reactions, from inside the cluster
        ...(isOperation ? {} : { 'networking.knative.dev/visibility': 'cluster-local' }),
      },
    },
    spec: {
      // explicit, so that a deploy replaces the traffic of a canary that was rolled back
      traffic: [{ latestRevision: true, percent: 100 }],
      template: {
        metadata: {
          labels: {
            ...labels(name),
            'zeroshop.dev/kind': isOperation ? 'operation' : 'reaction',
            'zeroshop.dev/domain': row.domain,
            'zeroshop.dev/store': domains[row.domain].store,
            ...(listens(name) ? { 'zeroshop.dev/listens': 'true' } : {}),
            ...Object.fromEntries(
              networksOf(name).map((network) => [`network.zeroshop.dev/${network}`, 'true']),
            ),
          },
          annotations: {
            ...scaling(row),
            // answers lines while more of them arrive, which Go's server otherwise does not do
            ...('uploadMiB' in row ? { 'features.knative.dev/http-full-duplex': 'Enabled' } : {}),
            [queueCpu]: '25m',
            'queue.sidecar.serving.knative.dev/memory-resource-request': '24Mi',
          },
        },
        spec: {
          // further requests wait in the queue-proxy
          containerConcurrency: row.concurrency,
          timeoutSeconds: 60,
          // An event stream has long pauses, and ends after ten minutes. Its client then connects again.
          ...('streamSeconds' in row
            ? { timeoutSeconds: row.streamSeconds, responseStartTimeoutSeconds: 60 }
            : {}),
          serviceAccountName: 'zeroshop',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          containers: [
            {
              image: `zeroshop/${name}`,
              imagePullPolicy: 'IfNotPresent',
              ports: [{ containerPort: 8080 }],
              envFrom: [{ configMapRef: { name: 'settings' } }],
              env: environment(row.domain),
              // without periodSeconds, Knative probes every 50 ms until the container is ready
              readinessProbe: { httpGet: { path: '/health/readiness' } },
              resources: resources(row),
              securityContext: restricted,
              volumeMounts: [{ name: 'secrets', mountPath: '/run/secrets', readOnly: true }],
            },
          ],
          volumes: [{ name: 'secrets', secret: { secretName: row.domain } }],
        },
      },
    },
  }
}

const labels = (name: string) => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/part-of': 'zeroshop',
})

/** Returns the autoscaler's annotations for a scaling class. Annotations are strings. */
function scaling({ scaling, concurrency, maxScale }: OperationRow | ReactionRow): Record<string, string> {
  const key = (name: string) => `autoscaling.knative.dev/${name}`
  if (scaling === 'cpu')
    return {
      [key('class')]: 'hpa.autoscaling.knative.dev',
      [key('metric')]: 'cpu',
      // in per cent of the requested CPU
      [key('target')]: '70',
      [key('min-scale')]: '1',
      // where the cluster's default is zero, the autoscaler would never add the first pod
      [key('initial-scale')]: '1',
      [key('max-scale')]: String(maxScale),
      // a peak of less than 30 s, such as a start, adds no pod; by default pods stay for five minutes after a peak
      [key('window')]: '30s',
    }
  return {
    [key('class')]: 'kpa.autoscaling.knative.dev',
    [key('metric')]: 'concurrency',
    // the autoscaler aims at 70 % of this
    [key('target')]: String(concurrency),
    [key('min-scale')]: scaling === 'warm' ? '1' : '0',
    [key('max-scale')]: String(maxScale),
    [key('window')]: '60s',
    [key('scale-to-zero-pod-retention-period')]: '0s',
  }
}

/**
 * On a busy node, a pod gets CPU in proportion to its request. A starting pod competes with the stores (100m) and with
 * functions that scale on CPU, so a request of 10m leaves it next to nothing. Functions scale to zero, and therefore
 * cost their request only while they run.
 *
 * A function that scales on CPU requests more, because the HPA compares its use with the request: 70 % of 100m is two
 * log-ins a second. With 150m, four of its pods left a node of two cores no room to start other functions.
 */
const resources = ({ scaling }: OperationRow | ReactionRow) => ({
  requests: { cpu: scaling === 'cpu' ? '100m' : '50m', memory: '48Mi' },
  limits: { cpu: '1', memory: '256Mi' },
})

const queueCpu = 'queue.sidecar.serving.knative.dev/cpu-resource-request'

/** Returns the component that lets one pod of every function fit on a node of two cores, as a first deploy needs. */
function smallNode(): string {
  const onConcurrency = Object.entries(functions).filter(([, { scaling }]) => scaling !== 'cpu')
  const services = { group: 'serving.knative.dev', kind: 'Service' }
  const replace = (path: string, value: string) =>
    stringify([{ op: 'replace', path: `/spec/template/${path}`, value }])
  return yaml({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    patches: [
      {
        target: { ...services, name: `(${onConcurrency.map(([name]) => name).join('|')})` },
        patch: replace('spec/containers/0/resources/requests/cpu', '10m'),
      },
      { target: services, patch: replace(`metadata/annotations/${queueCpu.replace('/', '~1')}`, '5m') },
    ],
  })
}

/** The security context that the `restricted` Pod Security Standard requires. */
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65_532,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** Returns the environment with the paths of the domain's secrets. It contains no other domain's secrets. */
const environment = (domain: Domain) =>
  Object.entries(secretsOf(domain)).map(([setting, file]) => ({
    name: `${setting}_FILE`,
    value: `/run/secrets/${file}`,
  }))
