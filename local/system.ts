import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSetting, readConfig } from '../functions/shared/process/config.ts'
import { domainNames, domains } from '../functions/table.ts'
import type { Backend } from './backend.ts'
import { distFolder } from './dist-folder.ts'
import { environment, type Environment, type Settings } from './environment.ts'
import { front } from './front.ts'
import type { Options } from './commands/options.ts'
import { freePort } from './ports.ts'
import { startProcesses } from './processes.ts'
import { localSecrets } from './secrets.ts'
import { run } from './run.ts'
import { openServer } from './server.ts'
import { createStartup, type Startup } from './startup.ts'
import { register, stopLeftovers, unregister } from './stores/leftovers.ts'
import { startStores } from './stores/start.ts'
import type { Store } from './stores/store.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

const bundleScript = join(import.meta.dirname, '../images/bundle.ts')

export interface SystemOptions extends Options {
  dataDir: string
  env: NodeJS.ProcessEnv
  /** If false, the stores trade safety against power loss for speed. */
  durable?: boolean
  /** The script that bundles the functions into the folder that it is given, and that folder; default: ours. */
  bundler?: { script: string; dist: string }
  /** Settings for every process, on top of what it needs. */
  settings?: Settings
  /** Told about each step, for the terminal. */
  say: (line: string) => void
  /** Given each line that a process writes. */
  log: (name: string, line: string) => void
  /** Ends the start. */
  signal?: AbortSignal
}

export interface System {
  url: string
  /** Where the functions are bundled. */
  dist: string
  stores: Store[]
  backend: Backend
  /** The settings of each process. */
  environment: Environment
  /** Resolves with the reason if one of our stores dies. */
  failed: Promise<string>
  stop(): Promise<void>
}

/**
 * Starts the whole shop. If something cannot be started, or `signal` is aborted, everything that was started is stopped.
 * The caller holds the lock of the data folder.
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

async function start(options: SystemOptions, startup: Startup): Promise<System> {
  const { dataDir, env, durable = true, say } = options
  const { script, dist } = options.bundler ?? { script: bundleScript, dist: distFolder(dataDir) }
  // first of all, so that a port in use is reported before anything else is started
  const shopfront = await openServer(options.port)
  startup.onStop(shopfront.close)
  const internal = await openServer(0)
  startup.onStop(internal.close)
  await stopLeftovers(dataDir, { log: say })

  const scripts = runScripts(startup)
  const bundling = options.inProcess ? undefined : scripts('Bundling', script, [dist])
  const starting = startStores({ dataDir, env, durable, log: say })
  startup.onStop(starting.stop)
  const { postgres, nats, mongodb } = await startup.step(starting.ready)
  const stores = [postgres, nats, mongodb]
  for (const store of stores) say(store.origin)
  const failed = Promise.race(stores.map(({ died }) => died))
  startup.endIf(failed.then((reason) => Promise.reject(new UserError(`${reason}. Start again.`))))

  const configured = environment(
    {
      postgres: postgres.url,
      nats: nats.url,
      mongodb: mongodb.url,
      sandboxPort: await freePort(),
      functionUrl: `http://127.0.0.1:${internal.port}/{function}`,
    },
    await localSecrets(dataDir),
    dataDir,
    options.settings,
  )
  const migration = configured.ofService('migrate')
  if (bundling === undefined) await migrateInProcess(migration)
  else {
    await startup.step(bundling)
    // in a process of its own: the memory that it takes is free again before the shop opens
    const migrating = scripts('Preparing the stores', join(dist, 'functions/main.js'), [], {
      ...inheritable(env),
      ...migration,
      FUNCTION: 'migrate',
    })
    await startup.step(migrating)
  }

  const backend = await startBackend(options, configured, dist, startup)
  internal.use(backend.handleInternal)
  startup.onStop(leaveAddress(dataDir, configured.database('events')))
  shopfront.use(front(backend.handle, () => backend.scale()))
  return {
    url: `http://localhost:${shopfront.port}`,
    dist,
    stores,
    backend,
    environment: configured,
    failed,
    stop: startup.stop,
  }
}

/** Returns a function that runs a script to its end; when the start is stopped, scripts that still run are killed. */
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
    // it may fail while another step is awaited
    end.catch(() => {})
    return end
  }
}

async function migrateInProcess(settings: Settings) {
  const { runMigration } = await import('../functions/migrate-main.ts')
  await runMigration(readConfig(settings), import.meta.resolve('../functions/main.ts'))
}

/** Starts what runs the functions. */
async function startBackend(
  options: SystemOptions,
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
        // if this process is killed, the next start waits for their end
        started: (name, pid) => {
          noted(() => register(options.dataDir, name, pid, 'SIGTERM'))
          return () => noted(() => unregister(options.dataDir, name))
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

/** Leaves the address of the events' database where `npm run dead-letters` looks for it; returns what removes it. */
function leaveAddress(dataDir: string, events: string): () => void {
  const file = join(dataDir, 'running.json')
  writeFileSync(file, JSON.stringify({ events }), { mode: 0o600 })
  return () => rmSync(file, { force: true })
}

/** A full disk takes no note; the process then still ends by itself once its parent is gone. */
function noted(note: () => void): void {
  try {
    note()
  } catch {
    // see above
  }
}

/** The settings of every domain. */
const ownSettings = Object.assign(
  {},
  ...domainNames.map((domain) => domains[domain].settings ?? {}),
) as object

/** The environment without our own settings: each process gets settings of its own. */
const inheritable = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !isSetting(name.replace(/_FILE$/, ''), ownSettings)),
  )
