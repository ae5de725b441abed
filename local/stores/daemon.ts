import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { explainDataDir, makePrivateFolder } from './data-dir.ts'
import { explainExit, lineThatMatters } from './explain.ts'
import type { StopSignal } from './leftovers.ts'
import { register, unregister } from './leftovers.ts'
import type { Store, StoreName } from './store.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'

const pollMs = 20
const killAfterMs = 3000
const logLimit = 5_000_000

export interface Daemon {
  name: StoreName
  /** The name of the server, for messages. */
  title: string
  origin: string
  dataDir: string
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** The user to run the server as, if we are root and it refuses to run as root. */
  user?: { uid: number; gid: number }
  stopSignal: StopSignal
  /** Returns the URL once the server accepts connections. Called every 20 ms. `log` returns its output since the start. */
  ready: (pid: number, log: () => string) => Promise<string | undefined>
  /** Called after the stop signal, for a server that only notices the signal on a new connection. */
  nudge?: (url: string) => void
  /** Returns a better message than the last line of the log, if there is one. */
  explain?: (log: string) => UserError | undefined
  /** How long the start may take, in ms (default: one minute, because recovery after a crash may take long). */
  startTimeout?: number
}

const openLog = (file: string): number => {
  makePrivateFolder(dirname(file))
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logLimit) renameSync(file, `${file}.1`)
  return openSync(file, 'a')
}

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(signal ? `was terminated by ${signal}` : `exited with code ${code}`),
    )
  })

/** Waits until the server is ready and returns its URL, or returns the reason if it ends before. */
const waitUntilReady = async (
  daemon: Daemon,
  child: ChildProcess,
  exit: Promise<string>,
  log: () => string,
): Promise<{ url: string } | { ended: string }> => {
  const state: { ended?: string } = {}
  void exit.then((reason) => (state.ended = reason))
  const deadline = Date.now() + (daemon.startTimeout ?? 60_000)
  while (Date.now() < deadline) {
    if (state.ended !== undefined) return { ended: state.ended }
    const url = child.pid === undefined ? undefined : await daemon.ready(child.pid, log)
    if (url !== undefined) return { url }
    await Promise.race([exit, setTimeout(pollMs)])
  }
  child.kill('SIGKILL')
  await exit
  throw new UserError(
    `${daemon.title} took too long to start. Its last message was "${lineThatMatters(log()) ?? ''}".`,
  )
}

/**
 * Starts a store in its own process group, so that Ctrl-C reaches only the runner, which stops everything in the right
 * order.
 * @throws UserError if it ends before it accepts connections
 */
export const startDaemon = async (daemon: Daemon): Promise<Store> => {
  const { name, title, dataDir, stopSignal } = daemon
  const logFile = join(dataDir, 'log', `${name}.log`)
  let output: number
  try {
    output = openLog(logFile)
  } catch (error) {
    throw explainDataDir(error, dataDir)
  }
  const from = fstatSync(output).size
  const log = () => readFileSync(logFile).subarray(from).toString()
  const options: SpawnOptions = {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: daemon.cwd ?? dataDir,
    env: daemon.env ?? process.env,
    ...daemon.user,
  }
  const child = spawn(daemon.command, daemon.args, options)
  closeSync(output)
  const exit = exitOf(child)
  const pid = child.pid
  try {
    if (pid !== undefined) register(dataDir, name, pid, stopSignal)
  } catch (error) {
    // the next start could not stop a store that is not registered
    child.kill('SIGKILL')
    await exit
    throw explainDataDir(error, dataDir)
  }
  let ready = false
  // If the runner exits early, it at least tells the store to stop. A store that is not ready may ignore the signal and has
  // no data to lose, so it is killed.
  const atExit = () => void child.kill(ready ? stopSignal : 'SIGKILL')
  process.once('exit', atExit)
  const forget = () => {
    process.removeListener('exit', atExit)
    unregister(dataDir, name)
  }
  void exit.then(forget)

  const outcome = await waitUntilReady(daemon, child, exit, log)
  if ('ended' in outcome) {
    if (pid === undefined) throw new UserError(`${title} ${outcome.ended} (${daemon.command})`)
    throw daemon.explain?.(log()) ?? explainExit(title, log(), logFile, dataDir)
  }
  ready = true
  const { url } = outcome

  let stopping = false
  const died = exit.then((reason) =>
    stopping ? new Promise<string>(() => {}) : `${title} ${reason} (its log: ${logFile})`,
  )
  const stop = async () => {
    stopping = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(stopSignal)
    daemon.nudge?.(url)
    const patience = new AbortController()
    const killing = setTimeout(killAfterMs, undefined, { signal: patience.signal }).then(
      () => child.kill('SIGKILL'),
      () => false,
    )
    await exit
    patience.abort()
    await killing
  }
  return { name, url, origin: daemon.origin, pid, died, stop }
}
