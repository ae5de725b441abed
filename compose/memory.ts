import { dockerSays } from '../images/docker.ts'

interface Stats {
  Name: string
  /** Such as `31.5MiB / 256MiB`: without files that the kernel keeps though nobody uses them. */
  MemUsage: string
}

/** What each container of the project holds resident, largest first, and the sum. */
export async function memory(compose: string[]): Promise<string> {
  const running = await dockerSays([...compose, 'ps', '--quiet'])
  const ids = running.split('\n').filter(Boolean)
  if (ids.length === 0) return 'Nothing runs: npm run compose starts it.'
  const stats = await dockerSays(['stats', '--no-stream', '--format', 'json', ...ids])
  const rows = stats
    .split('\n')
    .filter(Boolean)
    // as docker prints it
    .map((line) => JSON.parse(line) as Stats)
    // one that is just being started again
    .filter(({ MemUsage }) => !MemUsage.startsWith('--'))
    .map(({ Name, MemUsage }) => ({ name: Name, mib: toMib(MemUsage.split(' / ')[0]!) }))
    .toSorted((a, b) => b.mib - a.mib)
  const sum = rows.reduce((total, { mib }) => total + mib, 0)
  const line = (name: string, mib: number) => `${name.padEnd(40)}${mib.toFixed(1).padStart(8)} MiB`
  return [...rows.map(({ name, mib }) => line(name, mib)), line(`${rows.length} containers`, sum)].join('\n')
}

/** Docker's sizes. */
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
