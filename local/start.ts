/** `npm start`: the whole shop on this machine, until Ctrl-C. */
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pc from 'picocolors'
import { lockDataDir } from './lock.ts'
import { readOptions, usage, type Options } from './options.ts'
import { demoPassword, people } from './people.ts'
import { dataDirOf } from './stores/data-dir.ts'
import { StoreError } from './stores/store.ts'
import { startSystem, type System } from './system.ts'

/** A stop that takes longer is cut off, in ms; what was committed is safe. */
const stopWithinMs = 4_800

const began = performance.now()

async function main(): Promise<number> {
  let release = () => {}
  try {
    const options = readOptions(process.argv.slice(2), process.env)
    if (options === 'help') {
      console.log(usage)
      return 0
    }
    const dataDir = dataDirOf()
    const lock = lockDataDir(dataDir)
    release = () => lock.release()
    return await run(options, dataDir)
  } catch (error) {
    if (!(error instanceof StoreError)) console.error(error)
    else console.error(pc.red(error.message))
    return 1
  } finally {
    release()
  }
}

async function run(options: Options, dataDir: string): Promise<number> {
  mkdirSync(join(dataDir, 'log'), { recursive: true })
  const logFile = join(dataDir, 'log', 'functions.log')
  const log = createWriteStream(logFile, { flags: 'a' })
  const told = Promise.withResolvers<number>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => told.resolve(0))
  const starting = startSystem({
    ...options,
    dataDir,
    env: process.env,
    say: (line) => console.log(pc.dim(line)),
    log: (name, line) => {
      log.write(`${new Date().toISOString()} ${name} ${line}\n`)
      if (isAlarming(line)) console.error(pc.yellow(`${name}: ${short(line)}`))
    },
  })
  const system = await starting
  void system.failed.then((reason) => {
    console.error(pc.red(`${reason}. Nothing is lost: start again with npm start.`))
    told.resolve(1)
  })
  announce(system, logFile)
  const code = await told.promise
  await stopWithin(system)
  return code
}

async function stopWithin(system: System) {
  console.log('Stopping …')
  const late = setTimeout(() => {
    for (const { pid } of [...system.stores, ...system.backend.processes()])
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    process.exit(1)
  }, stopWithinMs)
  await system.stop()
  clearTimeout(late)
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

/** What a person should see without looking into the log: warnings and errors, and what is no log line at all. */
function isAlarming(line: string): boolean {
  const level = /^\{"level":(\d+)/.exec(line)?.[1]
  return level === undefined ? !line.startsWith('{') && line.trim() !== '' : Number(level) >= 50
}

const short = (line: string) => (line.length > 300 ? `${line.slice(0, 300)} …` : line)

process.exit(await main())
