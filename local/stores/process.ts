import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { codeOf } from './field.ts'

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in a form that only serves for comparing. */
  started: string
}

const onLinux = (pid: number): string | undefined => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in parentheses, may itself hold spaces and parentheses.
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

/** Undefined when no such process runs (a zombie does not). */
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

/** The command line, or an empty string when no such process runs. */
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

/** Sends a signal; a process that has gone already is fine. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
