import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { dashboardFiles } from './dashboards.ts'
import { ruleFiles } from './rules.ts'

const inside = ([path]: [path: string, text: string]) => path.replace(/^grafana\//, '')
const baseOf = (path: string) => path.replace(/^.*\//, '')

/** The names of the files of rules, and of dashboards, as a ConfigMap has them. */
export const rulesIn = () => ruleFiles().map(inside)
export const dashboardsIn = () => dashboardFiles().map(inside)

/** Returns the name of the ConfigMap of a dashboard. They have one each, because one for all could get too large. */
export const dashboardMap = (file: string) => `dashboard-${baseOf(file).replace('.json', '')}`

const map = (name: string, ...files: string[]) => ({ name, files })

/**
 * Returns the kustomize component with the ConfigMaps of the monitoring. It is in this folder because kustomize reads
 * only files in and below that of a kustomization.
 */
export const kustomization = (): [path: string, text: string] => [
  'grafana/kustomization.yaml',
  `# Generated from the dashboards and rules by npm run generate (grafana/kustomization.ts).\n${stringify({
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    configMapGenerator: [
      map('collector', 'collector/metrics-and-traces.yaml'),
      map('prometheus', 'prometheus.yml=prometheus/prometheus.yaml'),
      map(
        'prometheus-scrape',
        ...['common', 'cluster', 'stores'].map((file) => `prometheus/scrape/${file}.yaml`),
      ),
      map('prometheus-rules', ...rulesIn()),
      map(
        'alertmanager',
        ...readdirSync(join(import.meta.dirname, 'alertmanager'))
          .toSorted()
          .map((file) => `alertmanager/${file}`),
      ),
      map('jaeger', 'jaeger/jaeger.yaml'),
      map('blackbox', 'blackbox/blackbox.yaml'),
      map(
        'grafana-provisioning',
        ...['dashboards', 'datasources'].map((kind) => `${kind}.yaml=provisioning/${kind}/zeroshop.yaml`),
      ),
      // by this label, the sidecar of other Grafanas finds them
      ...dashboardsIn().map((file) => ({
        ...map(dashboardMap(file), file),
        options: { labels: { grafana_dashboard: '1' } },
      })),
    ],
  })}`,
]

/** Returns the lines of a pod's manifest that mount the rules and the dashboards. */
export const mountedRules = (): string[] => [
  'items:',
  ...rulesIn().map((file) => `  - { key: ${baseOf(file)}, path: ${file} }`),
]
export const mountedDashboards = (): string[] => [
  'sources:',
  ...dashboardsIn().map((file) => `  - configMap: { name: ${dashboardMap(file)} }`),
]
