import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { dockerSays } from '../images/docker.ts'

interface Stats {
  Name: string
  /** Such as `31.5MiB / 256MiB`. It does not include the inactive part of the kernel's file cache. */
  MemUsage: string
}

interface Row {
  name: string
  mib: number
}

/**
 * Returns a table of the resident memory of each container, largest first, and their sum. If the shop is watched, its
 * last lines are about what watches it.
 */
export async function memory(compose: string[]): Promise<string> {
  // the format in which docker compose prints it
  const containers = linesOf<{ Name: string; Service: string }>(
    await dockerSays([...compose, 'ps', '--format', 'json']),
  )
  if (containers.length === 0) return 'No container is running. Start the shop with npm run compose.'
  const serviceOf = new Map(containers.map(({ Name, Service }) => [Name, Service]))
  const names = [...serviceOf.keys()]
  const stats = linesOf<Stats>(await dockerSays(['stats', '--no-stream', '--format', 'json', ...names]))
  const rows = stats
    // a container that is restarting has no figures
    .filter(({ MemUsage }) => !MemUsage.startsWith('--'))
    .map(({ Name, MemUsage }) => ({ name: Name, mib: toMib(MemUsage.split(' / ')[0]!) }))
    .toSorted((a, b) => b.mib - a.mib)
  const watching = rows.filter(({ name }) => watchers.has(serviceOf.get(name)!))
  const services = new Set(serviceOf.values())
  return [
    ...rows.map(({ name, mib }) => line(name, mib)),
    line(`${rows.length} containers`, sumOf(rows)),
    ...(services.has('prometheus') ? monitoring(watching, services) : []),
  ].join('\n')
}

/** The services of monitoring.yaml. */
const watchers = new Set(
  Object.keys(
    (
      parse(readFileSync(join(import.meta.dirname, 'monitoring.yaml'), 'utf8'), { merge: true }) as {
        services: object
      }
    ).services,
  ),
)

/**
 * What cannot run everywhere, and the memory that its makers recommend, in MiB: 512 MB
 * (https://grafana.com/docs/grafana/latest/setup-grafana/installation/#hardware-recommendations).
 */
const recommended: Readonly<Record<string, number>> = { grafana: 512e6 / 2 ** 20 }

function monitoring(watching: readonly Row[], services: ReadonlySet<string>): string[] {
  const missing = Object.entries(recommended)
    .filter(([service]) => !services.has(service))
    .map(([service, mib]) => ({ name: `${service}, which does not run (as recommended)`, mib }))
  return [
    ...missing.map(({ name, mib }) => line(name, mib)),
    line('what watches the shop', sumOf([...watching, ...missing])),
  ]
}

const sumOf = (rows: readonly Row[]) => rows.reduce((total, { mib }) => total + mib, 0)

const line = (name: string, mib: number) => `${name.padEnd(40)}${mib.toFixed(1).padStart(8)} MiB`

/** Parses what docker prints as a JSON object in each line. */
const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)

/**
 * Converts a size that docker prints, such as `31.5MiB`, to MiB.
 * @throws Error if it is not a size
 */
export function toMib(size: string): number {
  const [, number, unit] = /^([\d.]+)\s*([KMG]?i?B)$/.exec(size) ?? []
  const factors: Record<string, number> = {
    B: 1 / 2 ** 20,
    KiB: 1 / 2 ** 10,
    MiB: 1,
    GiB: 2 ** 10,
    kB: 1e3 / 2 ** 20,
    MB: 1e6 / 2 ** 20,
    GB: 1e9 / 2 ** 20,
  }
  const factor = factors[unit ?? '']
  if (number === undefined || factor === undefined) throw new Error(`not a size: ${size}`)
  return Number(number) * factor
}
