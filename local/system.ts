import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSetting, readConfig } from '../functions/shared/process/config.ts'
import { databaseRoles, domainNames, domains } from '../functions/table.ts'
import type { Backend } from './backend.ts'
import { createJournal, type Journal } from './console/journal.ts'
import { lazyConsole, withConsole } from './console/open.ts'
import { createTraces } from './console/traces.ts'
import { sendTracesTo } from './console/tracing.ts'
import { distFolder } from './dist-folder.ts'
import { environment, type Environment, type Settings } from './environment.ts'
import { front } from './front.ts'
import { onlyFor } from './hosts.ts'
import type { Options } from './commands/options.ts'
import { freePort } from './ports.ts'
import { startProcesses } from './processes.ts'
import { localSecrets } from './secrets.ts'
import { run } from './run.ts'
import { openServer } from './server.ts'
import { createStartup, type Startup } from './startup.ts'
import { openMailSink, withMail } from './mail/sink.ts'
import { register, stopLeftovers, unregister } from './stores/leftovers.ts'
import type { KeptStore } from './stores/keep.ts'
import { keepStores, startStores } from './stores/start.ts'
import { watchStores } from './stores/watch.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { observed } from '../functions/shared/telemetry/telemetry.ts'

const bundleScript = join(import.meta.dirname, '../images/bundle.ts')

export interface SystemOptions extends Options {
  dataDir: string
  env: NodeJS.ProcessEnv
  /** If false, the stores are faster but may lose data in a power failure (default: true). */
  durable?: boolean
  /** The script that bundles the functions, and the folder that it writes to (default: ours). */
  bundler?: { script: string; dist: string }
  /** Whether the processes send their spans to the console, unless `settings` or `env` name another collector. */
  traces?: boolean
  /** Additional settings for all processes. */
  settings?: Settings
  /** Called with a line about each step, for the terminal. */
  say: (line: string) => void
  /** Called with each line that a process writes. */
  log: (name: string, line: string) => void
  /** Aborts the start. */
  signal?: AbortSignal
}

export interface System {
  url: string
  /** The folder of the bundled functions. */
  dist: string
  /** The stores, which are restarted whenever they end. */
  stores: KeptStore[]
  backend: Backend
  /** The settings of each process. */
  environment: Environment
  stop(): Promise<void>
}

/**
 * Starts the whole shop. If a part cannot be started or `signal` is aborted, stops everything that was started. The caller
 * must hold the lock of the data folder.
 * @throws UserError that says what to do
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const startup = createStartup(options.signal)
  try {
    return await start(options, startup)
  } catch (error) {
    await startup.stop()
    throw error
  }
}

async function start(given: SystemOptions, startup: Startup): Promise<System> {
  const journal = createJournal()
  const log: SystemOptions['log'] = (name, line) => {
    journal.line(name, line)
    given.log(name, line)
  }
  const options = { ...given, log }
  const { dataDir, env, durable = true, say } = options
  const { script, dist } = options.bundler ?? { script: bundleScript, dist: distFolder(dataDir) }
  // first, so that a port in use is reported before anything else is started
  const shopfront = await openServer(options.port, { withIpv6: true })
  startup.onStop(shopfront.close)
  const internal = await openServer(0)
  startup.onStop(internal.close)
  await stopLeftovers(dataDir, { log: say })

  const scripts = runScripts(startup)
  const bundling = options.inProcess ? undefined : scripts('Bundling', script, [dist])
  const starting = startStores({ dataDir, env, durable, log: say })
  let stopStores = starting.stop
  startup.onStop(() => stopStores())
  const started = await startup.step(starting.ready)
  const { postgres, nats, mongodb } = started
  for (const { origin, died } of Object.values(started)) {
    say(origin)
    startup.endIf(died.then((reason) => Promise.reject(new UserError(`${reason}. Start again.`))))
  }

  const traces = sendsToConsole(options) ? createTraces() : undefined
  const tracing = traces && (await sendTracesTo(internal.port, options.settings))
  startup.onStop(() => tracing?.stop())
  const mail = await openMailSink(join(dataDir, 'mails'), (line) => log('mail', line))
  startup.onStop(mail.close)
  const url = `http://localhost:${shopfront.port}`
  const configured = environment(
    {
      postgres: postgres.url,
      nats: nats.url,
      mongodb: mongodb.url,
      mongodbIsOurs: mongodb.pid !== undefined,
      sandboxPort: await freePort(),
      mailPort: mail.port,
      shopUrl: url,
      functionUrl: `http://127.0.0.1:${internal.port}/{function}`,
    },
    await localSecrets(dataDir),
    dataDir,
    tracing?.settings ?? options.settings,
  )
  const migration = configured.ofService('migrate')
  if (bundling === undefined) await migrateInProcess(migration)
  else {
    await startup.step(bundling)
    // in its own process, so that its memory is freed
    const migrating = scripts('Preparing the stores', join(dist, 'functions/main.js'), [], {
      ...inheritable(env),
      ...migration,
      FUNCTION: 'migrate',
    })
    await startup.step(migrating)
  }

  const backend = await startBackend({ ...options, journal }, configured, dist, startup)
  internal.use(traces?.receiving(backend.handleInternal) ?? backend.handleInternal)
  startup.onStop(leaveAddresses(dataDir, configured))
  // from now on; a store that ends earlier ends the start
  const stores = keepStores(started, { dataDir, env, durable }, options.log)
  stopStores = async () => void (await Promise.all(stores.map((store) => store.stop())))
  const watch = watchStores({ stores, ask: () => backend.degraded(), dataDir, log: options.log })
  startup.onStop(watch.stop)
  const scale = () => ({ degraded: watch.degraded(), ...backend.scale() })
  const console = lazyConsole({
    url,
    journal,
    functions: () => backend.scale().functions,
    degraded: watch.degraded,
    database: configured.database('events'),
    traces,
    charts: join(dataDir, 'scale.html'),
    log: (line) => log('console', line),
    windowSeconds: options.inProcess ? undefined : options.window,
  })
  startup.onStop(console.close)
  const answer = front(backend.handle, scale, options.origins)
  const shop = observed(onlyFor(options.allowedHosts ?? [], answer), { isForwarded: true })
  shopfront.use(withMail(mail.handle, withConsole(console.handle, shop)))
  return {
    url,
    dist,
    stores,
    backend,
    environment: configured,
    stop: startup.stop,
  }
}

/** With all functions in one process, there is little to trace. */
function sendsToConsole({ traces = false, inProcess, settings = {}, env }: SystemOptions): boolean {
  const given = (name: string) => settings[name] ?? env[name]
  const isDisabled = given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true'
  return traces && !inProcess && !isDisabled && given('OTEL_EXPORTER_OTLP_ENDPOINT') === undefined
}

/** Returns a function that runs a script until it ends. When the start is undone, scripts that still run are killed. */
function runScripts(startup: Startup) {
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  startup.onStop(async () => {
    stopping.abort()
    await Promise.allSettled(running)
  })
  return (what: string, script: string, args: string[], env?: NodeJS.ProcessEnv) => {
    const end = run(what, script, { args, ...(env && { env }), signal: stopping.signal })
    running.push(end)
    // it may reject while another step is awaited
    end.catch(() => {})
    return end
  }
}

async function migrateInProcess(settings: Settings) {
  const { runMigration } = await import('../functions/migrate-main.ts')
  await runMigration(readConfig(settings), import.meta.resolve('../functions/main.ts'))
}

async function startBackend(
  options: SystemOptions & { journal: Journal },
  configured: Environment,
  dist: string,
  startup: Startup,
): Promise<Backend> {
  const starting = options.inProcess
    ? import('./in-process.ts').then(({ startInProcess }) =>
        startInProcess(configured, (line) => options.log('functions', line)),
      )
    : startProcesses({
        ...options,
        environment: configured,
        dist,
        inherited: inheritable(options.env),
        observer: options.journal.observer,
        // so that the next start can stop them if this process is killed
        started: (name, pid) => {
          ignoringErrors(() => register(options.dataDir, name, pid, 'SIGTERM'))
          return () => ignoringErrors(() => unregister(options.dataDir, name))
        },
      })
  startup.onStop(() =>
    starting.then(
      (backend) => backend.close(),
      () => {},
    ),
  )
  return startup.step(starting)
}

/**
 * Writes the URLs of the databases to a file for `npm run dead-letters`, `npm run admin`, `npm run check-books` and `npm run seed`.
 * Returns a function that removes the file.
 */
function leaveAddresses(dataDir: string, { database, monitoring, admin }: Environment): () => void {
  const file = join(dataDir, 'running.json')
  const urls = Object.fromEntries(databaseRoles.map((role) => [role, database(role)]))
  writeFileSync(file, JSON.stringify({ ...urls, monitoring, admin }), { mode: 0o600 })
  return () => rmSync(file, { force: true })
}

/** Runs `write`, which may fail on a full disk. A service that is not registered still ends if this process is killed. */
function ignoringErrors(write: () => void): void {
  try {
    write()
  } catch {
    // see above
  }
}

/** The settings of every domain. */
const ownSettings = Object.assign(
  {},
  ...domainNames.map((domain) => domains[domain].settings ?? {}),
) as object

/** Returns the environment without our settings, because each process gets its own. */
const inheritable = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !isSetting(name.replace(/_FILE$/, ''), ownSettings)),
  )
