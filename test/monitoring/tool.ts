import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const grafana = join(import.meta.dirname, '../../grafana')

/** The images that have the tools which check configurations. */
export const images = {
  promtool: 'prom/prometheus:v3.5.0',
  amtool: 'prom/alertmanager:v0.28.1',
  '/otelcol-contrib': 'otel/opentelemetry-collector-contrib:0.165.0',
} as const

/**
 * Runs a tool in its image, which sees the folder `grafana` as /grafana.
 * @param mounts more files of that folder, and where the tool sees them
 * @returns what it printed, and the same as its complaint if it was not content
 */
export function runTool(
  tool: keyof typeof images,
  args: readonly string[],
  mounts: Readonly<Record<string, string>> = {},
) {
  const volumes = Object.entries({ '.': '/grafana', ...mounts }).flatMap(([file, at]) => [
    '--volume',
    `${join(grafana, file)}:${at}:ro`,
  ])
  const { status, stdout, stderr } = spawnSync(
    'docker',
    ['run', '--rm', '--network', 'none', '--entrypoint', tool, ...volumes, images[tool], ...args],
    { encoding: 'utf8' },
  )
  const said = stdout + stderr
  return { said, complaint: status === 0 ? undefined : said }
}
