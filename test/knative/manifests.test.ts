import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../images/docker.ts'
import { networksOf } from '../../functions/deployment.ts'
import { domains, functions, operations, type FunctionName } from '../../functions/table.ts'
import { get, kubectl } from '../../knative/kubectl.ts'
import {
  componentsOf,
  generatedFolder,
  logCollectorOf,
  readOverlay,
  render as renderResources,
  withAdditions,
} from '../../knative/overlay.ts'
import { prometheusRules } from '../../knative/prometheus-rules.ts'
import { copyProject, wishes } from '../project-copy.ts'
import { podsIn, policiesIn, portsOutside, resourcesIn, type Resource } from './policies.ts'
import { namespace } from './shop.ts'

const overlays = readdirSync(join(root, 'knative/overlays'))
/** A namespace for dry runs. It must have no Job, because a Job cannot be applied over an existing one. */
const empty = 'zeroshop-dry-run'

beforeAll(async () => {
  await kubectl(['create', 'namespace', empty])
  await kubectl(['create', 'serviceaccount', 'zeroshop', '-n', empty])
})
afterAll(() => kubectl(['delete', 'namespace', empty, '--wait=false']))

/** Renders an overlay of a project for another namespace. */
async function render(overlay: string, project = root): Promise<string> {
  const folder = join(project, '.data/knative', `dry-run-${overlay}`)
  mkdirSync(folder, { recursive: true })
  const resources = [relative(folder, join(project, 'knative/overlays', overlay))]
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ namespace: empty, resources }))
  return kubectl(['kustomize', folder])
}

/** Renders an overlay with more components for that namespace. */
async function renderWith(overlay: string, names: string): Promise<string> {
  const at = generatedFolder(`dry-run-${overlay}-${names}`)
  const additions = { components: componentsOf(names), images: [] }
  return written(
    await renderResources(at, { ...withAdditions(readOverlay(overlay), additions, at), namespace: empty }),
  )
}

async function renderLogCollector(): Promise<string> {
  const at = generatedFolder('dry-run-logs')
  return written(await renderResources(at, { ...logCollectorOf('zeroshop', at), namespace: empty }))
}

const written = (resources: readonly object[]) =>
  resources.map((resource) => JSON.stringify(resource)).join('\n---\n')

const dryRun = (manifests: string) =>
  kubectl(
    'apply --server-side --dry-run=server --validate=strict --warnings-as-errors -f -'.split(' '),
    manifests,
  )

describe('the API server and Knative accept without a warning the overlay', () => {
  it.each(overlays)('%s', async (overlay) => {
    const told = await dryRun(await render(overlay))
    const services = told.split('\n').filter((line) => line.startsWith('service.serving.knative.dev/'))
    expect(services).toHaveLength(Object.keys(functions).length)
  })
})

describe('the API server and Knative accept without a warning', () => {
  it.each(['local', 'production'])('the monitoring and logging of the overlay %s', async (overlay) => {
    const told = await dryRun(await renderWith(overlay, 'monitoring,logging'))
    const parts = ['collector', 'kube-state-metrics', 'blackbox-exporter', 'check-books']
    for (const part of parts) expect(told).toContain(`deployment.apps/${part} `)
    for (const part of ['prometheus', 'alertmanager', 'jaeger', 'grafana', 'victoria-logs'])
      expect(told).toContain(`statefulset.apps/${part} `)
    expect(told.includes('deployment.apps/postgres-exporter ')).toBe(overlay === 'local')
  })

  it('the log collector', async () => {
    expect(await dryRun(await renderLogCollector())).toContain('daemonset.apps/log-collector ')
  })

  it('what a Prometheus Operator reads, in place of Prometheus and Alertmanager', async ({ skip }) => {
    const crds = await kubectl([
      'get',
      'crd',
      'prometheusrules.monitoring.coreos.com',
      '--ignore-not-found',
      '-o',
      'name',
    ])
    skip(crds === '', 'the cluster has no Prometheus Operator')
    const told = await dryRun(await renderWith('local', 'monitoring,prometheus-operator'))
    for (const { metadata } of prometheusRules())
      expect(told).toContain(`prometheusrule.monitoring.coreos.com/${metadata.name} `)
    expect(told).toContain('servicemonitor.monitoring.coreos.com/zeroshop ')
    expect(told).not.toMatch(/statefulset.apps\/(?:prometheus|alertmanager) |clusterrole/)
  })
})

describe.each(['staging', 'production'])('the overlay %s, whose stores are managed', (overlay) => {
  let resources: Resource[]
  beforeAll(async () => {
    resources = resourcesIn(await render(overlay))
  })

  it('has no public route of a function, so that clients call the gateway', () => {
    const services = resources.filter(({ apiVersion }) => apiVersion === 'serving.knative.dev/v1')
    expect(services).toHaveLength(Object.keys(functions).length)
    for (const { metadata } of services)
      expect(metadata.labels).toMatchObject({ 'networking.knative.dev/visibility': 'cluster-local' })
  })

  it('lets each pod connect only to the ports of the stores that it uses', () => {
    const policies = policiesIn(resources)
    // what is not allowed is forbidden, for every pod
    expect(policies).toContainEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
    const postgres = [5432, 6432]
    const others: Record<string, number[]> = {
      relay: [4222, ...postgres, 27_017],
      dispatcher: [4222, ...postgres],
      migrate: [...postgres, 27_017],
      gateway: [],
      'payment-sandbox': [],
      maildev: [],
    }
    const expected = (name: string) => {
      if (!Object.hasOwn(functions, name)) return others[name]
      const { domain } = functions[name as FunctionName]
      const outside: Record<string, number[]> = {
        webhooks: [443, 8443],
        ...(overlay === 'production' && { provider: [443], mail: [465, 587] }),
      }
      const called = networksOf(name as FunctionName).flatMap((network) => outside[network] ?? [])
      const redis = name in operations ? [6379] : []
      const own = domains[domain].store === 'mongodb' ? [27_017] : postgres
      return [...called, ...own, ...redis].toSorted((a, b) => a - b)
    }
    for (const [name, labels] of podsIn(resources))
      expect({ name, ports: portsOutside(policies, labels) }).toEqual({ name, ports: expected(name) })
  })
})

describe('every overlay', () => {
  it.each(overlays)(
    '%s, with its monitoring and logging, runs no pod as root, with capabilities or with the rights to get some',
    async (overlay) => {
      for (const { kind, metadata, spec } of resourcesIn(await renderWith(overlay, 'monitoring,logging'))) {
        const pod = spec?.template?.spec
        if (pod === undefined) continue
        for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
          const { securityContext: own } = container
          expect({ kind, name: metadata.name, ...pod.securityContext, ...own }).toMatchObject({
            kind,
            name: metadata.name,
            runAsNonRoot: true,
            runAsUser: expect.toSatisfy((user: number) => user > 0) as number,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          })
          expect(own?.capabilities).not.toHaveProperty('add')
        }
      }
    },
  )
})

describe('the log collector', () => {
  it('reads the files of root, but has no capability and changes nothing', async () => {
    const daemons = resourcesIn(await renderLogCollector()).filter(({ kind }) => kind === 'DaemonSet')
    expect(daemons).toHaveLength(1)
    const [container] = daemons[0]!.spec!.template!.spec.containers
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    })
    expect(container).toMatchObject({
      volumeMounts: expect.arrayContaining([
        { name: 'pods', mountPath: '/var/log/pods', readOnly: true },
      ]) as unknown[],
    })
  })
})

describe('the API server and Knative accept', () => {
  it('the manifests of a domain that is added to the project', async () => {
    const copy = copyProject()
    try {
      copy.addDomain('wishes', wishes)
      copy.run('npm', 'run', '--silent', 'generate')
      const said = await dryRun(await render('local', copy.folder))
      expect(said).toContain('service.serving.knative.dev/make-wish')
      expect(said).toContain('service.serving.knative.dev/remind-wish')
    } finally {
      copy.remove()
    }
  }, 120_000)
})

interface Service {
  metadata: { name: string }
  status: { url: string; address: { url: string } }
}

/** Calls a public route, through KNATIVE_INGRESS_URL if the route's name does not resolve on this machine. */
const ask = ({ host, hostname, port, pathname }: URL) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const ingress = process.env['KNATIVE_INGRESS_URL']
    const at = ingress === undefined ? { hostname, port } : new URL(ingress)
    const options = { hostname: at.hostname, port: at.port, path: pathname, headers: { host } }
    request(options, (response) => {
      const { statusCode: status } = response
      text(response).then((body) => resolve({ status, body }), reject)
    })
      .once('error', reject)
      .end()
  })

describe('a function’s own Knative route', () => {
  let items: Service[]
  beforeAll(async () => {
    ;({ items } = await get<{ items: Service[] }>(['services.serving.knative.dev', '-n', namespace]))
    items = items.filter(({ metadata }) => metadata.name in functions)
  })

  it('is public for operations and internal for reactions', () => {
    for (const { metadata, status } of items)
      expect([metadata.name, status.url.endsWith('.svc.cluster.local')]).toEqual([
        metadata.name,
        !(metadata.name in operations),
      ])
  })

  it('leads to each operation', { timeout: 900_000 }, async () => {
    const deployed = items.filter(({ metadata }) => metadata.name in operations)
    expect(deployed.length).toBeGreaterThan(30)
    for (const { metadata, status } of deployed) {
      const answer = await ask(new URL('/health/readiness', status.url))
      expect([metadata.name, answer]).toEqual([metadata.name, { status: 200, body: '{"status":"ok"}' }])
    }
  })
})
