import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const text = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')

interface Job {
  job_name: string
  static_configs?: { targets: string[] }[]
  dns_sd_configs?: { names: string[]; port: number }[]
}

/** What Prometheus finds at a host and a port, by the names of jobs. */
const jobs = ['common', 'stores', 'cluster']
  .flatMap(
    (file) =>
      (parse(text(`grafana/prometheus/scrape/${file}.yaml`)) as { scrape_configs: Job[] }).scrape_configs,
  )
  .map(({ job_name: job, static_configs: fixed = [], dns_sd_configs: named = [] }) => ({
    job,
    at: [
      ...fixed.flatMap(({ targets }) => targets),
      ...named.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
    ],
  }))

interface Service {
  kind: string
  metadata: { name: string; labels?: Record<string, string> }
  spec: { ports: { name: string; port: number }[] }
}

const services = ['monitoring', 'store-exporters', 'logging']
  .flatMap((component) => {
    const folder = `knative/components/${component}`
    const files = readdirSync(join(import.meta.dirname, '..', folder)).filter((file) =>
      /(?<!ation)\.yaml$/.test(file),
    )
    return files.flatMap((file) => parseAllDocuments(text(join(folder, file))))
  })
  .map((document) => document.toJS() as Service)
  .filter(({ kind }) => kind === 'Service')

it('a ServiceMonitor finds what Prometheus scrapes, under the same names', () => {
  const labelled = services.flatMap(({ metadata, spec }) => {
    const job = metadata.labels?.['zeroshop.dev/job']
    const port = spec.ports.find(({ name }) => name === 'metrics')?.port
    return job === undefined ? [] : [{ job, at: [`${metadata.name}:${port}`] }]
  })
  // an operator brings its own of the first two; the rest is found otherwise
  const others = new Set(['prometheus', 'kubernetes', 'volumes', 'probe'])
  const byName = (a: { job: string }, b: { job: string }) => a.job.localeCompare(b.job)
  expect(labelled.toSorted(byName)).toEqual(jobs.filter(({ job }) => !others.has(job)).toSorted(byName))
})
