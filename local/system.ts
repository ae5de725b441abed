import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSetting, readConfig } from '../functions/shared/process/config.ts'
import { domainNames, domains } from '../functions/table.ts'
import type { Backend } from './backend.ts'
import { distFolder } from './dist-folder.ts'
import { environment, type Environment, type Settings } from './environment.ts'
import { front, listen, type Handler } from './front.ts'
import type { Options } from './commands/options.ts'
import { freePort } from './ports.ts'
import { startProcesses } from './processes.ts'
import { localSecrets } from './secrets.ts'
import { run } from './run.ts'
import { register, stopLeftovers, unregister } from './stores/leftovers.ts'
import { startMongo } from './stores/mongodb.ts'
import { startNats } from './stores/nats.ts'
import { startPostgres } from './stores/postgres.ts'
import type { Store } from './stores/store.ts'
import { UserError } from '../functions/shared/process/user-error.ts'

const bundleScript = join(import.meta.dirname, '../images/bundle.ts')

export interface SystemOptions extends Options {
  dataDir: string
  env: NodeJS.ProcessEnv
  /** Where false, the stores trade safety against power loss for speed. */
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
  /** Resolves with the reason where a store of ours dies. */
  failed: Promise<string>
  stop(): Promise<void>
}

/**
 * Starts the whole shop; where something cannot be started, or `signal` says to stop, what already was is stopped. The
 * caller holds the lock.
 * @throws UserError that says what to do
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { dataDir, env, durable = true, say, log, signal } = options
  const { script, dist } = options.bundler ?? { script: bundleScript, dist: distFolder(dataDir) }
  const stops: (() => unknown)[] = []
  const stop = async () => {
    // the other way round than started, so that nothing loses what it stands on
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next()
  }
  const told = new Promise<never>((_, reject) => {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  told.catch(() => {})
  // all that may end the start before it is done
  const ends: Promise<never>[] = [told]
  const step = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ...ends])
  try {
    // taken first, so that a port in use is told before anything is started
    const shopfront = await openFront(options.port, stops)
    const internal = await openFront(0, stops)
    await stopLeftovers(dataDir, { log: say })

    const scripts = new AbortController()
    const built = options.inProcess
      ? undefined
      : run('Bundling', script, { args: [dist], signal: scripts.signal })
    // told below, once the stores are there to be stopped
    built?.catch(() => {})
    stops.push(() => {
      scripts.abort()
      return built?.catch(() => {})
    })
    const stores = await step(
      startAll(
        [startPostgres, startNats, startMongo].map((start) => start({ dataDir, env, durable, log: say })),
        stops,
      ),
    )
    for (const store of stores) say(store.origin)
    const failed = Promise.race(stores.map(({ died }) => died))
    ends.push(failed.then((reason) => Promise.reject(new UserError(`${reason}. Start again.`))))
    ends.at(-1)?.catch(() => {})
    const [postgres, nats, mongodb] = stores as [Store, Store, Store]
    const secrets = await localSecrets(dataDir)
    const configured = environment(
      {
        postgres: postgres.url,
        nats: nats.url,
        mongodb: mongodb.url,
        sandboxPort: await freePort(),
        functionUrl: `http://127.0.0.1:${internal.port}/{function}`,
      },
      secrets,
      dataDir,
      options.settings,
    )
    if (built) await step(built)
    const migration = configured.ofService('migrate')
    // as a process of its own: what it takes of memory is gone before the shop opens
    if (built)
      await step(
        run('Preparing the stores', join(dist, 'functions/main.js'), {
          env: { ...inheritable(env), ...migration, FUNCTION: 'migrate' },
          signal: scripts.signal,
        }),
      )
    else {
      const { runMigration } = await import('../functions/migrate-main.ts')
      await runMigration(readConfig(migration), import.meta.resolve('../functions/main.ts'))
    }

    const starting = options.inProcess
      ? import('./in-process.ts').then(({ startInProcess }) =>
          startInProcess(configured, (line) => log('functions', line)),
        )
      : startProcesses({
          ...options,
          environment: configured,
          dist,
          inherited: inheritable(env),
          // so that the next start waits for their end, should this process be killed
          started: (name, pid) => {
            noted(() => register(dataDir, name, pid, 'SIGTERM'))
            return () => noted(() => unregister(dataDir, name))
          },
        })
    stops.push(() =>
      starting.then(
        (backend) => backend.close(),
        () => {},
      ),
    )
    const backend = await step(starting)
    internal.use(backend.handleInternal)
    const running = join(dataDir, 'running.json')
    writeFileSync(running, JSON.stringify({ events: configured.database('events') }), { mode: 0o600 })
    stops.push(() => rmSync(running, { force: true }))
    shopfront.use(front(backend.handle, () => backend.scale()))
    return {
      url: `http://localhost:${shopfront.port}`,
      dist,
      stores,
      backend,
      environment: configured,
      failed,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A server whose requests wait until it is given its handler. */
async function openFront(port: number, stops: (() => unknown)[]) {
  const { promise: given, resolve: use } = Promise.withResolvers<Handler>()
  let handler: Handler = (request, response) => void given.then((handle) => handle(request, response))
  void given.then((handle) => (handler = handle))
  const { server, port: taken } = await listen((request, response) => handler(request, response), port).catch(
    (error: unknown) => {
      throw explainListen(error, port)
    },
  )
  stops.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { port: taken, use }
}

/** All of them, or none: `stops` waits for those that are still starting. */
async function startAll(starting: Promise<Store>[], stops: (() => unknown)[]): Promise<Store[]> {
  const settled = Promise.allSettled(starting)
  stops.push(async () => {
    const started = (await settled).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    await Promise.all(started.map((store) => store.stop()))
  })
  const results = await settled
  throwFirst(results)
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

function throwFirst(results: PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function explainListen(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new UserError(`Port ${port} is in use. Stop what uses it, or set PORT to another one.`)
  if (code === 'EACCES') return new UserError(`Port ${port} needs more rights. Set PORT to one above 1023.`)
  return error
}

/** Where the disk is full there is no note: the process still ends by itself when it has lost this one. */
function noted(note: () => void): void {
  try {
    note()
  } catch {
    // as said
  }
}

/** The settings of every domain. */
const ownSettings = Object.assign(
  {},
  ...domainNames.map((domain) => domains[domain].settings ?? {}),
) as object

/** Our own settings are not handed on: each process is given its own. */
const inheritable = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !isSetting(name.replace(/_FILE$/, ''), ownSettings)),
  )
