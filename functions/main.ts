/**
 * The entry of every container and of every process of the local runner, and the only place that reads the
 * environment: FUNCTION names what to serve.
 */
import { pino } from 'pino'
import {
  functions,
  operations,
  type FunctionName,
  type OperationName,
  type ReactionName,
} from './functions.ts'
import { ConfigError, readConfig, settings, type Config } from './shared/config.ts'
import { loggable } from './shared/loggable.ts'

/** What is not called over HTTP by users, but runs all the time. */
const services = {
  relay: async () => (await import('../events/relay-main.ts')).openRelay,
  dispatcher: async () => (await import('../events/dispatcher-main.ts')).openDispatcher,
} as const

async function main(config: Config) {
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
  // an outside service, so it has an entry of its own
  if (name === 'payment-sandbox') return void (await import('./payments/sandbox/main.ts'))
  if (Object.hasOwn(services, name)) {
    const [open, { serveHealth }] = await Promise.all([
      services[name as keyof typeof services](),
      import('./shared/serve-operation.ts'),
    ])
    return serveHealth(await open(config, log), listen)
  }
  if (!Object.hasOwn(functions, name)) {
    const known = [...Object.keys(functions), ...Object.keys(services)].join(', ')
    throw new ConfigError(`FUNCTION=${name}: there is no such function. Set it to one of: ${known}.`)
  }
  const { domain } = functions[name as FunctionName]
  const [{ open }, serving] = await Promise.all([
    import('./shared/open.ts'),
    name in operations ? import('./shared/serve-operation.ts') : import('./shared/serve-reaction.ts'),
  ])
  const opened = await open[domain](config, log, name)
  // one of the two, as imported
  return serving.serve(name as OperationName & ReactionName, opened, config, listen)
}

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
if (process.send !== undefined && !process.connected) orphaned()

try {
  await main(readConfig(process.env))
  isServing = true
} catch (error) {
  // one line that says what to do, where we know; the stack only where we do not
  console.error(error instanceof ConfigError ? `zeroshop: ${error.message}` : error)
  process.exit(1)
}
