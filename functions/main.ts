/**
 * The entry of every container and of every process of the local runner, and the only place that reads the
 * environment: FUNCTION names what to serve.
 */
import { pino } from 'pino'
import { operations, reactions, stores } from './functions.ts'
import { ConfigError, readConfig, settings, type Config } from './shared/process/config.ts'
import { loggable } from './shared/process/loggable.ts'

/** What is not called over HTTP by users, but runs all the time. */
const services = {
  relay: async () => (await import('../events/relay-main.ts')).openRelay,
  dispatcher: async () => (await import('../events/dispatcher-main.ts')).openDispatcher,
} as const

/** Serves what FUNCTION names, or migrates and exits. */
async function main(config: Config): Promise<void> {
  const name = config.need('FUNCTION')
  const log = pino({
    level: readLevel(config.get('LOG_LEVEL')),
    base: { function: name },
    serializers: { err: loggable },
  })
  const listen = {
    port: readPort(config.get('PORT')),
    host: config.get('HOST'),
    log,
    entry: import.meta.url,
  }
  if (name === 'migrate') {
    const { runMigration } = await import('./migrate-main.ts')
    await runMigration(config, import.meta.url)
    log.info('migrated')
    process.exit(0)
  }
  // an outside service, so it has an entry of its own
  if (name === 'payment-sandbox') return void (await import('./payments/sandbox/main.ts'))
  if (has(services, name)) {
    const [open, { serveHealth }] = await Promise.all([
      services[name](),
      import('./shared/process/serve-operation.ts'),
    ])
    return serveHealth(await open(config, log), listen)
  }
  const { open } = await import('./shared/open.ts')
  if (has(stores, name)) {
    const { serve } = await import('./shared/process/serve-domain.ts')
    return serve(name, await open[name](config, log, name), config, listen)
  }
  if (has(operations, name)) {
    const [opened, { serve }] = await Promise.all([
      open[operations[name].domain](config, log, name),
      import('./shared/process/serve-operation.ts'),
    ])
    return serve(name, opened, config, listen)
  }
  if (has(reactions, name)) {
    const [opened, { serve }] = await Promise.all([
      open[reactions[name].domain](config, log, name),
      import('./shared/process/serve-reaction.ts'),
    ])
    return serve(name, opened, config, listen)
  }
  const known = [operations, reactions, services, { 'payment-sandbox': 0, migrate: 0 }, stores]
  throw new ConfigError(
    `FUNCTION=${name}: there is no such function. Set it to one of: ${known.flatMap(Object.keys).join(', ')}.`,
  )
}

/** Whether the table has this name of its own: not `constructor`, as every object has. */
const has = <T extends object>(table: T, name: PropertyKey): name is keyof T => Object.hasOwn(table, name)

function readLevel(level = 'info'): string {
  if (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(level)) return level
  throw new ConfigError(`LOG_LEVEL=${level}: set it to ${settings.LOG_LEVEL.split(';')[0]}.`)
}

function readPort(text = '8080'): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new ConfigError(`PORT=${text}: set it to a whole number from 0 to 65535.`)
}

// a parent that is gone would never know of a process that is still starting, or waits for a store
let isServing = false
const orphaned = () => {
  if (!isServing) process.exit(1)
}
process.on('disconnect', orphaned)
// the first process of a container is told to stop in vain where it does not listen for it
for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)
  process.on(signal, () => {
    if (!isServing) process.exit(code)
  })
if (process.send !== undefined && !process.connected) orphaned()

try {
  await main(readConfig(process.env))
  isServing = true
} catch (error) {
  // one line that says what to do, where we know; the stack only where we do not
  console.error(error instanceof ConfigError ? `zeroshop: ${error.message}` : error)
  process.exit(1)
}
