import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runTool } from './tool.ts'

const grafana = join(import.meta.dirname, '../../grafana')
const filesIn = (folder: string) =>
  readdirSync(join(grafana, folder)).filter((file) => file.endsWith('.yaml'))

describe('the alerts', () => {
  it.each(filesIn('rules/tests'))('fire, end and stay quiet as %s says', (file) => {
    expect(runTool('promtool', ['test', 'rules', `/grafana/rules/tests/${file}`]).complaint).toBeUndefined()
  })
})

describe('the configuration', () => {
  it.each(['compose', 'cluster'])('of Prometheus is valid, with its rules, in %s', (where) => {
    const mounts = {
      'prometheus/prometheus.yaml': '/etc/prometheus/prometheus.yml',
      ...Object.fromEntries(
        ['common', 'stores', where].map((file) => [
          `prometheus/scrape/${file}.yaml`,
          `/etc/prometheus/scrape/${file}.yaml`,
        ]),
      ),
      rules: '/etc/prometheus/rules',
      // promtool wants it to be there
      'kustomization.yaml': '/var/run/secrets/kubernetes.io/serviceaccount/token',
    }
    const checked = runTool('promtool', ['check', 'config', '/etc/prometheus/prometheus.yml'], mounts)
    expect(checked.complaint).toBeUndefined()
    for (const file of filesIn('rules')) expect(checked.said).toContain(`/etc/prometheus/rules/${file}`)
  })

  it.each(filesIn('alertmanager'))('of Alertmanager is valid in %s', (file) => {
    expect(runTool('amtool', ['check-config', `/grafana/alertmanager/${file}`]).complaint).toBeUndefined()
  })

  it.each([
    ['metrics-and-traces.yaml'],
    ['logs-compose.yaml', 'logs-to-victorialogs.yaml'],
    ['logs-cluster.yaml', 'logs-to-victorialogs.yaml'],
  ])('of the collector is valid in %s', (...files) => {
    const configs = files.flatMap((file) => ['--config', `/grafana/collector/${file}`])
    expect(runTool('/otelcol-contrib', ['validate', ...configs]).complaint).toBeUndefined()
  })
})
