import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { quantile } from '../functions/shared/quantile.ts'
import type { FunctionName } from '../functions/table.ts'
import { startInstance, type Instance } from '../local/activator/instance.ts'
import { nodeFlags } from '../local/processes.ts'
import { codeOf } from '../local/stores/field.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { startSystem, type System } from '../local/system.ts'

export const root = join(import.meta.dirname, '..')

/**
 * A shop with a process for each function, on its own durable stores.
 * @param window how long an idle function runs, in seconds
 */
export async function startShop({ window = 60 } = {}): Promise<{
  system: System
  stop: () => Promise<void>
}> {
  const { dataDir, remove } = temporaryDataDir()
  const system = await startSystem({
    dataDir,
    env: process.env,
    port: 0,
    window,
    maxScale: undefined,
    inProcess: false,
    // requests are counted as usual, but none is refused; nothing is paid while only placing orders is measured
    settings: { LIMITS_FACTOR: '1000', UNPAID_PIECES: '1000000' },
    say: () => {},
    log: () => {},
  })
  return {
    system,
    stop: async () => {
      await system.stop()
      await remove()
    },
  }
}

/** Starts a function's process as the local runner does, with the same flags, but outside of it. */
export const startFunction = (system: System, name: FunctionName): Instance =>
  start(name, join(system.dist, 'functions/main.js'), system.environment.ofFunction(name), nodeFlags)

export const start = (
  name: string,
  script: string,
  env: NodeJS.ProcessEnv = {},
  flags: readonly string[] = [],
): Instance =>
  startInstance({
    name,
    command: process.execPath,
    args: [...flags, script],
    env: { PATH: process.env['PATH'], ...env },
  })

export interface Answer {
  status: number
  text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Sends a raw request with node:http, because the time that an API client takes would count. */
export const call = (url: string, method = 'GET', headers: Record<string, string> = {}, body?: string) =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('error', reject)
    sent.end(body)
  })

/** Measures requests per second in a closed loop. @throws if a request fails */
export async function load(
  url: string,
  seconds: number,
  options: Partial<autocannon.Options> = {},
): Promise<number> {
  const result = await autocannon({ url, connections: 32, duration: seconds, ...options })
  if (result.non2xx + result.errors + result.mismatches > 0)
    throw new Error(
      `${url}: ${result.non2xx + result.mismatches} responses were not as expected, ${result.errors} requests failed`,
    )
  if (result.requests.total === 0) throw new Error(`${url}: no request was answered within ${seconds} s`)
  return result.requests.average
}

export const median = (values: number[]) => quantile(values, 0.5) ?? Number.NaN
export const p95 = (values: number[]) => quantile(values, 0.95) ?? Number.NaN
export const p99 = (values: number[]) => quantile(values, 0.99) ?? Number.NaN

/** Reads a process's file in /proc. It is empty if the process has just ended, as PostgreSQL's workers do at any time. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')) return ''
    throw error
  }
}

/** The memory of processes in MiB. `pss` counts shared pages once, `rss` counts them in each process. */
export function memoryOf(pids: number[]): { pss: number; rss: number } {
  const sum = { pss: 0, rss: 0 }
  for (const pid of pids) {
    const rollup = read(pid, 'smaps_rollup')
    sum.pss += Number(/^Pss: +(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024
    sum.rss += Number(/^Rss: +(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024
  }
  return sum
}

/** The CPU time of a process so far, in seconds (proc_pid_stat(5): utime and stime, in hundredths). */
export const cpuSeconds = (pid: number): number => ticks(pid, 2) / 100

/** The CPU time of a process, of all that run below it, and of those that have ended, in seconds. */
export const familyCpuSeconds = (pid: number): number =>
  // the next two numbers are of the children that have ended
  family(pid).reduce((sum, each) => sum + ticks(each, 4), 0) / 100

const ticks = (pid: number, count: number): number => {
  const [, fields = ''] = read(pid, 'stat').split(') ')
  const times = fields.split(' ').slice(11, 11 + count)
  return times.reduce((sum, time) => sum + Number(time), 0)
}

/** The ids of a process and all its descendants. */
export function family(pid: number): number[] {
  const children = read(pid, `task/${pid}/children`).trim().split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => family(Number(child)))]
}
