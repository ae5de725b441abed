// Runs a function in its own process.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const STDERR_LINES_KEPT = 10

export interface InstanceOptions {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** The port to listen on (default: any free port). */
  port?: number
  /** Called with each line that the process writes to stdout or stderr. */
  log?: ((name: string, line: string) => void) | undefined
  /** How long the process may take to listen, in ms (default 20 s). */
  startTimeoutMs?: number
}

export interface Instance {
  readonly pid: number | undefined
  /** The port on 127.0.0.1; 0 until the process listens. */
  readonly port: number
  readonly startedAt: Date
  /** The time from spawning to listening, in ms; undefined until the process listens. */
  readonly startMs: number | undefined
  /** Resolves when the process listens. Rejects with the last lines of stderr if it ends before. */
  readonly ready: Promise<void>
  /** Resolves when the process has ended, with the reason: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>
  /** Sends SIGTERM, and SIGKILL after `graceMs` (default 3 s). Resolves when the process has ended. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Starts a function's process. The process must report its port with `process.send({ listening: port })`, finish its
 * requests on SIGTERM, and exit when the IPC channel closes, so that it does not outlive a runner that is killed.
 */
export function startInstance(options: InstanceOptions): Instance {
  const { name, command, args, env, log, startTimeoutMs = 20_000 } = options
  const startedAt = new Date()
  const startedTick = performance.now()
  let port = 0
  let startMs: number | undefined
  const lastErrors: string[] = []

  const child = spawn(command, args, {
    env: { ...env, FUNCTION: name, PORT: String(options.port ?? 0) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // in its own process group, so that Ctrl-C reaches only the runner, which lets the functions finish their requests
    detached: true,
  })

  const { promise: exited, resolve: reportExit } = Promise.withResolvers<string>()
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  // the runner must not crash if nothing awaits `ready`
  ready.catch(() => {})

  const fail = (why: string): void => {
    const output = lastErrors.length > 0 ? `\n${lastErrors.join('\n')}` : ''
    reject(new Error(`${name} did not start: ${why}${output}`))
  }
  const timer = setTimeout(() => {
    fail(`it did not listen within ${startTimeoutMs / 1000} s`)
    child.kill('SIGKILL')
  }, startTimeoutMs)

  child.on('message', (message) => {
    const listening = portOf(message)
    if (listening === undefined || port !== 0) return
    clearTimeout(timer)
    port = listening
    startMs = performance.now() - startedTick
    resolve()
  })
  child.on('error', (error) => {
    clearTimeout(timer)
    fail(error.message)
    if (child.pid === undefined) reportExit(error.message)
  })
  child.once('exit', (code, signal) => {
    clearTimeout(timer)
    const how = signal ?? `exit code ${code}`
    reportExit(how)
    // 'close' follows once all output is read. A grandchild may keep the pipes open, so do not wait for long.
    const late = setTimeout(fail, 200, how)
    child.once('close', () => {
      clearTimeout(late)
      fail(how)
    })
  })

  eachLine(child.stdout, (line) => log?.(name, line))
  eachLine(child.stderr, (line) => {
    lastErrors.push(line)
    if (lastErrors.length > STDERR_LINES_KEPT) lastErrors.shift()
    log?.(name, line)
  })

  return {
    pid: child.pid,
    get port() {
      return port
    },
    startedAt,
    get startMs() {
      return startMs
    },
    ready,
    exited,
    async stop(graceMs = 3000) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const kill = setTimeout(() => child.kill('SIGKILL'), graceMs)
        await exited
        clearTimeout(kill)
      }
      await exited
    },
  }
}

function portOf(message: unknown): number | undefined {
  if (typeof message !== 'object' || message === null || !('listening' in message)) return undefined
  const { listening } = message
  return typeof listening === 'number' && listening > 0 && listening < 65_536 ? listening : undefined
}

function eachLine(stream: Readable | null, use: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', use)
}
