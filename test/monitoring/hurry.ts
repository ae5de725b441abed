import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../images/docker.ts'

/** How much faster alerts fire and resolve in the test: five minutes become 25 s. */
const speed = 12
/** How often the test scrapes and evaluates, so that the shortest windows still have several samples. */
const interval = '5s'

/** Where the hurried configurations are. */
export const hurriedFolder = join(root, 'dist/monitoring')

const ms: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Returns rules, or the configuration of Alertmanager, with all their times divided. */
const hurried = (text: string) =>
  text.replaceAll(
    /\b(\d+)([smhd])\b/g,
    (_, number: string, unit: string) => `${Math.round((Number(number) * ms[unit]!) / speed)}ms`,
  )

/** Writes the configurations of Prometheus and Alertmanager with shorter times. */
export function hurry(): void {
  const grafana = join(root, 'grafana')
  const read = (path: string) => readFileSync(join(grafana, path), 'utf8')
  const write = (path: string, text: string) => writeFileSync(join(hurriedFolder, path), text)
  rmSync(hurriedFolder, { recursive: true, force: true })
  mkdirSync(join(hurriedFolder, 'rules'), { recursive: true })
  for (const file of readdirSync(join(grafana, 'rules')).filter((name) => name.endsWith('.yaml')))
    write(`rules/${file}`, hurried(read(`rules/${file}`)))
  write('alertmanager.yaml', hurried(read('alertmanager/webhook.yaml')))
  write(
    'prometheus.yaml',
    read('prometheus/prometheus.yaml').replaceAll(/_interval: \w+/g, `_interval: ${interval}`),
  )
}
