import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { codeOf } from './field.ts'

/** Identifies a process, even if a later one has the same pid. */
export interface ProcessIdentity {
  pid: number
  /** The start time, in a format that is only good for comparison. */
  started: string
}

const onLinux = (pid: number): string | undefined => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // the command's name is in parentheses, but may also contain spaces and parentheses
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return undefined
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
  return `${boot}-${rest[18]}`
}

const elsewhere = (pid: number): string | undefined => {
  const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } } as const
  const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], options)
    .trim()
    .split(/\s+/)
  return state?.startsWith('Z') ? undefined : started.join('-').replaceAll(':', '-')
}

/** Returns the identity of a running process; undefined if there is none with this pid or it is a zombie. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  try {
    const started = process.platform === 'linux' ? onLinux(pid) : elsewhere(pid)
    return started ? { pid, started } : undefined
  } catch {
    return undefined
  }
}

export const isRunning = (identity: ProcessIdentity): boolean =>
  identify(identity.pid)?.started === identity.started

/** Returns the command line of a process; an empty string if there is none with this pid. */
export const commandOf = (pid: number): string => {
  try {
    return execFileSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}

/** Returns the pids of the processes that a process has started and that still run. */
export const childrenOf = (parent: number): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))

/** Sends a signal to a process. Does nothing if it has already ended. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
