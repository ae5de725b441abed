// Runs a function in its own process.
import { spawn, type ChildProcess } from 'node:child_process'
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
  /** Calls `start` when it is this process's turn (default: now). Others wait until what `start` returns is resolved. */
  turn?: ((start: () => Promise<void>) => Promise<void>) | undefined
}

export interface Instance {
  /** Undefined until it is the process's turn to start. */
  readonly pid: number | undefined
  /** The port on 127.0.0.1; 0 until the process listens. */
  readonly port: number
  /** When it was spawned or, before that, when it was asked for. */
  readonly startedAt: Date
  /** The same time, from performance.now(). */
  readonly startedTick: number
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
  const { name, command, args, env, log, startTimeoutMs = 20_000, turn = (start) => start() } = options
  let child: ChildProcess | undefined
  let startedAt = new Date()
  let startedTick = performance.now()
  let port = 0
  let startMs: number | undefined
  let isStopped = false
  const lastErrors: string[] = []

  const { promise: exited, resolve: reportExit } = Promise.withResolvers<string>()
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  // the runner must not crash if nothing awaits `ready`
  ready.catch(() => {})

  const fail = (why: string): void => {
    const output = lastErrors.length > 0 ? `\n${lastErrors.join('\n')}` : ''
    reject(new Error(`${name} did not start: ${why}${output}`))
  }

  function start(): ChildProcess {
    startedAt = new Date()
    startedTick = performance.now()
    const started = spawn(command, args, {
      env: { ...env, FUNCTION: name, PORT: String(options.port ?? 0) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // in its own process group, so that Ctrl-C reaches only the runner, which lets the functions finish their requests
      detached: true,
    })
    const timer = setTimeout(() => {
      fail(`it did not listen within ${startTimeoutMs / 1000} s`)
      started.kill('SIGKILL')
    }, startTimeoutMs)

    started.on('message', (message) => {
      const listening = portOf(message)
      if (listening === undefined || port !== 0) return
      clearTimeout(timer)
      port = listening
      startMs = performance.now() - startedTick
      resolve()
    })
    started.on('error', (error) => {
      clearTimeout(timer)
      fail(error.message)
      if (started.pid === undefined) reportExit(error.message)
    })
    started.once('exit', (code, signal) => {
      clearTimeout(timer)
      const how = signal ?? `exit code ${code}`
      reportExit(how)
      // 'close' follows once all output is read. A grandchild may keep the pipes open, so do not wait for long.
      const late = setTimeout(fail, 200, how)
      started.once('close', () => {
        clearTimeout(late)
        fail(how)
      })
    })

    eachLine(started.stdout, (line) => log?.(name, line))
    eachLine(started.stderr, (line) => {
      lastErrors.push(line)
      if (lastErrors.length > STDERR_LINES_KEPT) lastErrors.shift()
      log?.(name, line)
    })
    return started
  }

  turn(async () => {
    if (isStopped) return
    child = start()
    await Promise.race([ready.catch(() => {}), exited])
  }).catch((error: Error) => {
    // it could not be spawned
    fail(error.message)
    reportExit(error.message)
  })

  return {
    get pid() {
      return child?.pid
    },
    get port() {
      return port
    },
    get startedAt() {
      return startedAt
    },
    get startedTick() {
      return startedTick
    },
    get startMs() {
      return startMs
    },
    ready,
    exited,
    async stop(graceMs = 3000) {
      isStopped = true
      if (child === undefined) {
        fail('it was stopped before')
        reportExit('stopped before it was started')
      } else if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const kill = setTimeout(() => child?.kill('SIGKILL'), graceMs)
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
