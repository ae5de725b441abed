import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { functions, operations, domains, type Domain, type FunctionName } from '../functions/table.ts'
import type { OperationRow, ReactionRow } from '../functions/shared/domain.ts'
import { caddyfile } from '../compose/caddyfile.ts'
import { fillMarked } from '../compose/marked.ts'
import { listens, secretsOf, serviceSecrets } from '../functions/deployment.ts'

/** Every generated file of knative/, by its path in the project. */
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
    ...(['migrate', 'relay'] as const).map(
      (name) => [`knative/base/platform/${name}.yaml`, platformPart(name)] as [string, string],
    ),
    // kustomize reads nothing from outside of its folder
    ...['nats.conf', 'pgbouncer.ini'].map(
      (name) => [`knative/components/stores/${name}`, storeConfig(name)] as [string, string],
    ),
  ])
}

const storeConfig = (name: string) => readFileSync(join(import.meta.dirname, '../compose', name), 'utf8')

const yaml = (object: unknown) =>
  `# Generated from the domains' declarations by npm run generate (knative/manifests.ts).\n${stringify(object, { lineWidth: 110 })}`

/** A part of the platform with the secrets that the domains give it. */
function platformPart(name: 'migrate' | 'relay'): string {
  const text = readFileSync(join(import.meta.dirname, `base/platform/${name}.yaml`), 'utf8')
  const env = Object.entries(serviceSecrets[name]).map(
    ([setting, file]) => `  - { name: ${setting}_FILE, value: /run/secrets/${file} }`,
  )
  return fillMarked(text, 'env', ['env:', ...env])
}

/** A function as a Knative Service. */
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
        // who delivers events is inside
        ...(isOperation ? {} : { 'networking.knative.dev/visibility': 'cluster-local' }),
      },
    },
    spec: {
      // said, so that a deploy takes over from a canary that was rolled back
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
              (domains[row.domain].networks ?? []).map((network) => [
                `network.zeroshop.dev/${network}`,
                'true',
              ]),
            ),
          },
          annotations: {
            ...scaling(row),
            // the queue before each instance idles most of the time
            'queue.sidecar.serving.knative.dev/cpu-resource-request': '5m',
            'queue.sidecar.serving.knative.dev/memory-resource-request': '24Mi',
          },
        },
        spec: {
          // more wait in the queue before it
          containerConcurrency: row.concurrency,
          timeoutSeconds: 60,
          // an event stream has long pauses, and ends after ten minutes: its client begins another
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
              // no periodSeconds: Knative then asks every 50 ms until it is ready
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

/** What the autoscaler is told, by scaling class; all values are strings there. */
function scaling({ scaling, concurrency, maxScale }: OperationRow | ReactionRow): Record<string, string> {
  const key = (name: string) => `autoscaling.knative.dev/${name}`
  if (scaling === 'cpu')
    return {
      [key('class')]: 'hpa.autoscaling.knative.dev',
      [key('metric')]: 'cpu',
      // per cent of what is requested
      [key('target')]: '70',
      [key('min-scale')]: '1',
      [key('max-scale')]: String(maxScale),
    }
  return {
    [key('class')]: 'kpa.autoscaling.knative.dev',
    [key('metric')]: 'concurrency',
    // of it, the autoscaler uses 70 %
    [key('target')]: String(concurrency),
    [key('min-scale')]: scaling === 'warm' ? '1' : '0',
    [key('max-scale')]: String(maxScale),
    [key('window')]: '60s',
    [key('scale-to-zero-pod-retention-period')]: '0s',
  }
}

/**
 * Requests that let the whole shop idle on one small node. What scales on CPU asks for more, since the HPA compares
 * its use with the request. 70 % of 150m is three log-ins a second, and several times what starting takes; four
 * such pods still leave a node of two cores room for other functions.
 */
const resources = ({ scaling }: OperationRow | ReactionRow) => ({
  requests: { cpu: scaling === 'cpu' ? '150m' : '10m', memory: '48Mi' },
  limits: { cpu: '1', memory: '256Mi' },
})

/** As the `restricted` Pod Security Standard wants it. */
const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65_532,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** Which file holds which secret: those of the domain, and no other's. */
const environment = (domain: Domain) =>
  Object.entries(secretsOf(domain)).map(([setting, file]) => ({
    name: `${setting}_FILE`,
    value: `/run/secrets/${file}`,
  }))
