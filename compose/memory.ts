import { dockerSays } from '../images/docker.ts'

interface Stats {
  Name: string
  /** Such as `31.5MiB / 256MiB`. It does not include the inactive part of the kernel's file cache. */
  MemUsage: string
}

/** Returns a table of the resident memory of each container, largest first, and their sum. */
export async function memory(compose: string[]): Promise<string> {
  const running = await dockerSays([...compose, 'ps', '--quiet'])
  const ids = running.split('\n').filter(Boolean)
  if (ids.length === 0) return 'No container is running. Start the shop with npm run compose.'
  const stats = await dockerSays(['stats', '--no-stream', '--format', 'json', ...ids])
  const rows = stats
    .split('\n')
    .filter(Boolean)
    // the format in which docker prints it
    .map((line) => JSON.parse(line) as Stats)
    // a container that is restarting has no figures
    .filter(({ MemUsage }) => !MemUsage.startsWith('--'))
    .map(({ Name, MemUsage }) => ({ name: Name, mib: toMib(MemUsage.split(' / ')[0]!) }))
    .toSorted((a, b) => b.mib - a.mib)
  const sum = rows.reduce((total, { mib }) => total + mib, 0)
  const line = (name: string, mib: number) => `${name.padEnd(40)}${mib.toFixed(1).padStart(8)} MiB`
  return [...rows.map(({ name, mib }) => line(name, mib)), line(`${rows.length} containers`, sum)].join('\n')
}

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
