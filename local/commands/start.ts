/** `npm start`: runs the whole shop on this machine until Ctrl-C. */
import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import pc from 'picocolors'
import { run } from '../../functions/shared/process/run.ts'
import { readConfig, telemetrySettings } from '../../functions/shared/process/config.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { startTelemetry } from '../../functions/shared/telemetry/start.ts'
import { closeTelemetry } from '../../functions/shared/telemetry/telemetry.ts'
import { lockDataDir } from '../lock.ts'
import { noteworthy } from './noteworthy.ts'
import { readOptions, usage, type Options } from './options.ts'
import { demoPassword, people } from '../people.ts'
import { explainDataDir, makePrivateFolder } from '../stores/data-dir.ts'
import { chooseDataDir, startProblem } from '../stores/data-folder.js'
import { codeOf } from '../stores/field.ts'
import { childrenOf, signal } from '../stores/process.ts'
import type { Settings } from '../environment.ts'
import { startSystem, type System } from '../system.ts'

/** If the shop takes longer to stop, its processes are killed, in ms. Committed data is safe. */
const stopWithinMs = 4_800

/** If the log is larger than this at the start, it is renamed and a new one is created, in bytes. */
const logLimit = 5_000_000

/** How long to wait after an error before the log is opened again, in ms. */
const logAgainAfterMs = 10_000

const began = performance.now()

async function main(): Promise<number> {
  const choice = chooseDataDir(process.env)
  const { dataDir, why } = choice
  try {
    const options = readOptions(process.argv.slice(2), process.env)
    if (options === 'help') {
      console.log(usage)
      return 0
    }
    const problem = startProblem(process.env, choice)
    if (problem !== undefined) throw new UserError(problem)
    await startTelemetry(readConfig(process.env), 'gateway')
    // from here on there is something to leave in order
    const told = signalled()
    const lock = lockDataDir(dataDir)
    // however it ends: also if what does not stop in time is cut off
    process.once('exit', () => lock.release())
    console.log(pc.dim(`The data is in ${dataDir}${why === undefined ? '' : ` (${why})`}`))
    return await runShop(options, dataDir, told)
  } catch (error) {
    throw isOfDisk(error) ? explainDataDir(error, dataDir) : error
  }
}

const isOfDisk = (error: unknown) =>
  ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')

/** Resolves with the exit code when a signal tells the shop to stop. */
const signalled = () =>
  new Promise<number>((resolve) => {
    // a signal may arrive twice: from the terminal and from npm, which forwards it
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(0))
  })

async function runShop(options: Options, dataDir: string, told: Promise<number>): Promise<number> {
  const stopping = new AbortController()
  // the terminal may be closed first
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  void told.then((code) => {
    console.log('Stopping …')
    stopping.abort()
    setTimeout(() => cutOff(code), stopWithinMs).unref()
  })
  const logFile = join(dataDir, 'log', 'functions.log')
  const write = openLog(logFile)
  const worthShowing = noteworthy()
  try {
    const system = await startSystem({
      ...options,
      dataDir,
      env: process.env,
      traces: true,
      settings: passedOn(process.env),
      signal: stopping.signal,
      say: (line) => console.log(pc.dim(line)),
      log: (name, line) => {
        write(`${new Date().toISOString()} ${name} ${line}\n`)
        // while the shop stops, processes are supposed to end
        const shown = stopping.signal.aborted ? undefined : worthShowing(name, line)
        if (shown !== undefined) console.error(pc.yellow(shown))
      },
    })
    if (!stopping.signal.aborted) announce(system, logFile)
    const code = await told
    await system.stop()
    await closeTelemetry()
    return code
  } catch (error) {
    if (stopping.signal.aborted) return told
    throw error
  }
}

const passed = [
  'TRUSTED_PROXIES',
  'LIMITS_FACTOR',
  'REDIS_URL',
  'SMTP_URL',
  'SMTP_PASSWORD',
  'MAIL_FROM',
  'SHOP_URL',
]

/** Returns the settings of functions that may be set here. */
const passedOn = (env: NodeJS.ProcessEnv): Settings =>
  Object.fromEntries(
    [...passed, ...telemetrySettings].flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )

/** Kills the processes that still run, also those that were about to start, and exits. */
function cutOff(code: number) {
  for (const pid of childrenOf(process.pid)) {
    signal(pid, 'SIGKILL')
    // what it has started itself, if it leads a group
    signal(-pid, 'SIGKILL')
  }
  process.exit(code)
}

/** Opens the log. Returns a function that appends to it. After an error, such as a full disk, lines are lost for a while. */
function openLog(file: string): (line: string) => void {
  makePrivateFolder(dirname(file))
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logLimit) renameSync(file, `${file}.1`)
  let log: WriteStream | undefined
  let isBroken = false
  const open = () => {
    const stream = createWriteStream(file, { flags: 'a' })
    stream.on('error', (error) => {
      if (!isBroken) console.error(pc.yellow(`Cannot log to ${file} at the moment: ${error.message}`))
      isBroken = true
      log = undefined
      setTimeout(open, logAgainAfterMs).unref()
    })
    log = stream
  }
  open()
  return (line) =>
    void log?.write(line, (error) => {
      if (!error) isBroken = false
    })
}

function announce({ url }: System, logFile: string) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`
${pc.bold(pc.green('Zeroshop'))} is at ${pc.bold(url)} (ready in ${seconds} s)

  ${url}/docs                      the API reference, where you can also send requests
  ${url}/api/v1/products           the catalogue
  ${url}/_console                  the functions, events and requests as they happen
  ${url}/_mail                     the mails that the shop sends
  ${url}/_scale                    which functions are running, and why
  npm run demo                     follows an order from start to end

Log in as ${people.map(({ email }) => email).join(', ')} with the password ${demoPassword}.
Logs: ${logFile}. Ctrl-C stops the shop and keeps its data.
`)
}

await run(main)
// do not wait for a store that is still starting
process.exit()
