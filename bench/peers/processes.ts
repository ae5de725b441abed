import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { UserError } from '../../functions/shared/process/user-error.ts'
import type { Startup } from '../../local/startup.ts'
import { startPostgres } from '../../local/stores/postgres.ts'
import { temporaryDataDir } from '../../local/stores/temporary.ts'
import { call } from '../harness.ts'
import { sku, type ProductRequest } from './peer.ts'

/** How long a system may take to start, in ms. */
const startTimeout = 120_000
/** How long a process may take to stop, in ms. */
const grace = 10_000

export interface Started {
  pid: number
  /** Rejects if it ends although `stop` was not called. */
  died: Promise<never>
  stop: () => Promise<void>
}

/** Starts a Node process that writes its output to a file. */
export function startNode(
  startup: Startup,
  options: { cwd: string; args: string[]; env: NodeJS.ProcessEnv; log: string },
): Started {
  const { cwd, args, env, log } = options
  const output = openSync(log, 'w')
  const child = spawn(process.execPath, args, {
    cwd,
    env,
    stdio: ['ignore', output, output],
    // in its own process group, so that Ctrl-C reaches only the benchmark, which stops everything in the right order
    detached: true,
  })
  closeSync(output)
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const exited = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  const state = { stopping: false }
  const died = exited.then((how) => {
    process.off('exit', kill)
    if (state.stopping) return new Promise<never>(() => {})
    throw new UserError(`node ${args.join(' ')} ended (${how}). Its output is in ${log}.`)
  })
  startup.endIf(died)
  const stop = async () => {
    state.stopping = true
    child.kill('SIGTERM')
    const late = setTimeout(kill, grace)
    await exited
    clearTimeout(late)
  }
  startup.onStop(stop)
  return { pid: child.pid!, died, stop }
}

/** Returns a function that starts a PostgreSQL server of its own, as `npm start` does, always on the same data. */
export function ownPostgres(startup: Startup) {
  const { dataDir, remove } = temporaryDataDir()
  startup.onStop(remove)
  return () => startPostgres({ dataDir, env: { PATH: process.env['PATH'] } })
}

/** The environment of every process of a system that is not ours. */
export const production = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  NODE_ENV: 'production',
  SECRET: randomBytes(32).toString('hex'),
})

/** Waits until a system returns the product. @throws UserError if a process ends before, or it takes too long */
export async function untilReady({ url, ...request }: ProductRequest, started: Started[]): Promise<void> {
  const giveUp = performance.now() + startTimeout
  const isThere = async () => {
    const { status, text } = await call(url, request.method, request.headers, request.body)
    return status === 200 && text.includes(sku)
  }
  const look = async () => {
    // it does not listen at first
    while (!(await isThere().catch(() => false))) {
      if (performance.now() > giveUp) throw new UserError(`${url} did not return the product in time.`)
      await pause(10)
    }
  }
  await Promise.race([look(), ...started.map(({ died }) => died)])
}
