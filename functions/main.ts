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
import { ConfigError, readConfig, type Config } from './shared/config.ts'
import { loggable } from './shared/loggable.ts'

/** What is not called over HTTP by users, but runs all the time. */
const services = {
  relay: async () => (await import('../events/relay-main.ts')).openRelay,
  dispatcher: async () => (await import('../events/dispatcher-main.ts')).openDispatcher,
} as const

async function main(config: Config) {
  const name = config.need('FUNCTION')
  const log = pino({
    level: config.get('LOG_LEVEL') ?? 'info',
    base: { function: name },
    serializers: { err: loggable },
  })
  const listen = {
    port: Number(config.get('PORT') ?? 8080),
    host: config.get('HOST'),
    log,
    entry: import.meta.url,
  }
  // an outside service, so it has an entry of its own
  if (name === 'payment-sandbox') return void (await import('./payments/sandbox/main.ts'))
  if (name in services) {
    const [open, { serveHealth }] = await Promise.all([
      services[name as keyof typeof services](),
      import('./shared/serve-operation.ts'),
    ])
    return serveHealth(await open(config, log), listen)
  }
  if (!(name in functions)) {
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

try {
  await main(readConfig(process.env))
} catch (error) {
  // one line that says what to do, where we know; the stack only where we do not
  console.error(error instanceof ConfigError ? `zeroshop: ${error.message}` : error)
  process.exit(1)
}
