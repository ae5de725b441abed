/** `npm start`: the whole shop on this machine, until Ctrl-C. */
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pc from 'picocolors'
import { run } from '../../functions/shared/process/run.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { lockDataDir } from '../lock.ts'
import { noteworthy } from './noteworthy.ts'
import { readOptions, usage, type Options } from './options.ts'
import { demoPassword, people } from '../people.ts'
import { explainDataDir } from '../stores/data-dir.ts'
import { chooseDataDir, startProblem } from '../stores/data-folder.js'
import { codeOf } from '../stores/field.ts'
import { signal } from '../stores/process.ts'
import { startSystem, type System } from '../system.ts'

/** A stop that takes longer is cut off, in ms; what was committed is safe. */
const stopWithinMs = 4_800

/** A longer log is put aside, in bytes. */
const logLimit = 5_000_000

const began = performance.now()

async function main(): Promise<number> {
  let release = () => {}
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
    const lock = lockDataDir(dataDir)
    release = () => lock.release()
    console.log(pc.dim(`The data is in ${dataDir}${why === undefined ? '' : ` (${why})`}`))
    return await runShop(options, dataDir)
  } catch (error) {
    throw isOfDisk(error) ? explainDataDir(error, dataDir) : error
  } finally {
    release()
  }
}

const isOfDisk = (error: unknown) =>
  ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')

async function runShop(options: Options, dataDir: string): Promise<number> {
  const told = Promise.withResolvers<number>()
  const stopping = new AbortController()
  const running: { system?: System } = {}
  // a signal may come twice: from the terminal, and from npm, which passes it on
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.resolve(0))
  // the terminal may close first
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  void told.promise.then((code) => {
    console.log('Stopping …')
    stopping.abort()
    setTimeout(() => cutOff(running.system, code), stopWithinMs).unref()
  })
  const logFile = join(dataDir, 'log', 'functions.log')
  const write = openLog(logFile)
  const worthShowing = noteworthy()
  try {
    const system = await startSystem({
      ...options,
      dataDir,
      env: process.env,
      signal: stopping.signal,
      say: (line) => console.log(pc.dim(line)),
      log: (name, line) => {
        write(`${new Date().toISOString()} ${name} ${line}\n`)
        // now processes are meant to end
        const shown = stopping.signal.aborted ? undefined : worthShowing(name, line)
        if (shown !== undefined) console.error(pc.yellow(shown))
      },
    })
    running.system = system
    void system.failed.then((reason) => {
      if (!stopping.signal.aborted)
        console.error(pc.red(`${reason}. Nothing is lost: start again with npm start.`))
      told.resolve(1)
    })
    if (!stopping.signal.aborted) announce(system, logFile)
    const code = await told.promise
    await system.stop()
    return code
  } catch (error) {
    if (stopping.signal.aborted) return told.promise
    throw error
  }
}

/** Kills what still runs, and ends. */
function cutOff(system: System | undefined, code: number) {
  for (const { pid } of [...(system?.stores ?? []), ...(system?.backend.processes() ?? [])])
    if (pid !== undefined) signal(pid, 'SIGKILL')
  process.exit(code)
}

/** Opens the log for appending. A full disk must not end the shop. */
function openLog(file: string): (line: string) => void {
  mkdirSync(dirname(file), { recursive: true })
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logLimit) renameSync(file, `${file}.1`)
  const log = createWriteStream(file, { flags: 'a' })
  let broken = false
  log.on('error', (error) => {
    broken = true
    console.error(pc.yellow(`Nothing more is written to ${file}: ${error.message}`))
  })
  return (line) => void (broken || log.write(line))
}

function announce({ url }: System, logFile: string) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`
${pc.bold(pc.green('Zeroshop'))} is at ${pc.bold(url)} (ready in ${seconds} s)

  ${url}/docs                      the API, to read and to try
  ${url}/api/v1/products           the catalogue
  ${url}/_scale                    which functions run, and why
  npm run demo                     an order from start to end

Log in as ${people.map(({ email }) => email).join(', ')} with the password ${demoPassword}.
Logs: ${logFile}. Ctrl-C stops everything; the data stays.
`)
}

await run(main)
// a store that is still starting must not keep the process
process.exit()
