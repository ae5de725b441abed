/**
 * The entry point of every container and of every process of the local runner. The setting FUNCTION names
 * what to serve. Only entry points read the environment.
 */
import { readdirSync } from 'node:fs'
import { readConfig, type Config } from './shared/process/config.ts'
import { UserError } from './shared/process/user-error.ts'
import { isOperation, type Entry } from './shared/process/entry.ts'
import { openLog } from './shared/process/log.ts'
import { run } from './shared/process/run.ts'
import { startTelemetry } from './shared/telemetry/start.ts'
import { serve as serveOperation, serveHealth } from './shared/process/serve-operation.ts'

/** Processes that run all the time and serve no requests of users. */
const services = {
  relay: async () => (await import('../events/relay-main.ts')).openRelay,
  dispatcher: async () => (await import('../events/dispatcher-main.ts')).openDispatcher,
} as const

/** Serves what FUNCTION names, or migrates and exits. */
async function main(config: Config): Promise<void> {
  const name = config.need('FUNCTION')
  const log = openLog(config, name, { isSync: ['admin', 'check-books'].includes(name) })
  const listen = { port: readPort(config.get('PORT')), host: config.get('HOST'), log }
  if (name === 'migrate') {
    const { runMigration } = await import('./migrate-main.ts')
    await runMigration(config, import.meta.url)
    log.info('migrated')
    process.exit(0)
  }
  if (name === 'admin') {
    const { runAdmin } = await import('./users/admin-job.ts')
    console.log(await runAdmin(config, log))
    process.exit(0)
  }
  if (name === 'check-books') {
    const { runChecks } = await import('./books/check-books.ts')
    process.exit(await runChecks(config, log))
  }
  const observing = startTelemetry(config, name, log)
  // it stands in for an outside service, so it has its own entry point
  if (name === 'payment-sandbox') return void (await observing, await import('./payments/sandbox/main.ts'))
  if (has(services, name)) {
    const [open] = await Promise.all([services[name](), observing])
    return serveHealth(await open(config, log), listen)
  }
  const [entries] = await Promise.all([entriesOf(name), observing])
  const [first] = entries as [Entry, ...Entry[]]
  const configured = readConfig(process.env, first.row.settings)
  const opening = first.open().then(({ open }) => open(configured, log, name))
  if (first.row.name !== name) {
    const [opened, { serve }] = await Promise.all([opening, import('./shared/process/serve-domain.ts')])
    return serve(entries, opened, configured, listen)
  }
  if (isOperation(first.row)) return serveOperation(first, await opening, configured, listen)
  const [opened, { serve }] = await Promise.all([opening, import('./shared/process/serve-reaction.ts')])
  return serve(first, opened, configured, listen)
}

/**
 * Returns the entry of a function, or the entries of all functions of a domain. From source they come from
 * the table; in an image they come from the files beside this one.
 * @throws UserError if there is neither a function nor a domain with this name
 */
async function entriesOf(name: string): Promise<Entry[]> {
  if (import.meta.url.endsWith('.ts')) {
    const source = await import('./source.ts')
    const found = source.entriesOf(name)
    if (found === undefined) throw unknown(name, source.names)
    return found
  }
  const held = readdirSync(new URL('.', import.meta.url)).flatMap((file) =>
    file.endsWith('.js') && file !== 'main.js' ? [file.slice(0, -3)] : [],
  )
  if (!held.includes(name)) throw unknown(name, held)
  const read = async (name: string) => import(new URL(`${name}.js`, import.meta.url).href)
  const entry = (await read(name)) as Entry | { functions: string[] }
  return 'functions' in entry ? Promise.all(entry.functions.map(read)) : [entry]
}

const unknown = (name: string, known: readonly string[]) =>
  new UserError(
    `FUNCTION=${name}: there is no such function here. Set it to one of: ${[...known, ...Object.keys(services), 'payment-sandbox', 'migrate', 'admin', 'check-books'].join(', ')}, or run the image of that name.`,
  )

/**
 * Returns whether the object has its own property with this name, ignoring inherited ones like `constructor`.
 */
const has = <T extends object>(table: T, name: PropertyKey): name is keyof T => Object.hasOwn(table, name)

function readPort(text = '8080'): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new UserError(`PORT=${text}: set it to a whole number from 0 to 65535.`)
}

// if the parent exits, a process that is starting or waiting for a store exits here; later the server does it
let isServing = false
const orphaned = () => {
  if (!isServing) process.exit(1)
}
process.on('disconnect', orphaned)
// the first process of a container ignores signals that it does not handle
for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)
  process.on(signal, () => {
    if (!isServing) process.exit(code)
  })
if (process.send !== undefined && !process.connected) orphaned()

// a bundle cannot wait here, as it is no ES module
void run(async () => {
  await main(readConfig(process.env))
  isServing = true
}, 'zeroshop: ').then(() => {
  // exit explicitly, because open connections would keep a process running that could not start
  if (!isServing) process.exit()
})
