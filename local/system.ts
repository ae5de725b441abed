import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Setting } from '../functions/shared/config.ts'
import type { Backend } from './backend.ts'
import { environment, type Environment } from './environment.ts'
import { front, listen, type Handler } from './front.ts'
import type { Options } from './options.ts'
import { freePort } from './ports.ts'
import { startProcesses } from './processes.ts'
import { secretsOf, type Secrets } from './secrets.ts'
import type { Preparation } from './prepare.ts'
import { run } from './run.ts'
import { startMongo } from './stores/mongodb.ts'
import { startNats } from './stores/nats.ts'
import { startPostgres } from './stores/postgres.ts'
import { StoreError, type Store } from './stores/store.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

export interface SystemOptions extends Options {
  dataDir: string
  env: NodeJS.ProcessEnv
  /** Where false, the stores trade safety against power loss for speed. */
  durable?: boolean
  /** Settings for every process, on top of what it needs. */
  settings?: Partial<Record<Setting, string>>
  /** Told about each step, for the terminal. */
  say: (line: string) => void
  /** Given each line that a process writes. */
  log: (name: string, line: string) => void
}

export interface System {
  url: string
  stores: Store[]
  backend: Backend
  /** The settings of each process. */
  environment: Environment
  /** Resolves with the reason where a store of ours dies. */
  failed: Promise<string>
  stop(): Promise<void>
}

/** Starts the whole shop; where something cannot be started, what already was is stopped. The caller holds the lock. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { dataDir, env, durable = true, say, log } = options
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    // the other way round than started, so that nothing loses what it stands on
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next()
  }
  try {
    // taken first, so that a port in use is told before anything is started
    const shopfront = await openFront(options.port, stops)
    const internal = await openFront(0, stops)

    const built = options.inProcess
      ? undefined
      : run('Bundling', join(import.meta.dirname, 'build.ts'), [dist])
    // told below, once the stores are there to be stopped
    built?.catch(() => {})
    const stores = await startAll(
      [startPostgres, startNats, startMongo].map((start) => start({ dataDir, env, durable, log: say })),
      stops,
    )
    for (const store of stores) say(store.origin)
    const [postgres, nats, mongodb] = stores as [Store, Store, Store]
    const secrets = await secretsOf(dataDir)
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
    await built
    const preparation = preparationOf(postgres, configured, secrets)
    // as a process of its own: what it takes of memory is gone before the shop opens
    if (built)
      await run('Preparing the stores', join(dist, 'local/prepare.js'), [], JSON.stringify(preparation))
    else await (await import('./prepare.ts')).prepare(preparation)

    const backend = options.inProcess
      ? await (await import('./in-process.ts')).startInProcess(configured, (line) => log('functions', line))
      : await startProcesses({ ...options, environment: configured, dist, inherited: inheritable(env) })
    stops.push(() => backend.close())
    internal.use(backend.handleInternal)
    const running = join(dataDir, 'running.json')
    writeFileSync(running, JSON.stringify({ events: configured.database('events') }), { mode: 0o600 })
    stops.push(async () => rmSync(running, { force: true }))
    shopfront.use(front(backend.handle, () => backend.scale()))
    return {
      url: `http://localhost:${shopfront.port}`,
      stores,
      backend,
      environment: configured,
      failed: Promise.race(stores.map(async (store) => `${store.name} has stopped: ${await store.died}`)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const preparationOf = (postgres: Store, environment: Environment, { passwords }: Secrets): Preparation => ({
  adminUrl: postgres.url,
  passwords,
  migrations: join(root, 'functions/migrations'),
  urls: {
    users: environment.database('users'),
    stock: environment.database('stock'),
    products: environment.ofFunction('list-products').MONGODB_URL!,
  },
})

/** A server whose requests wait until it is given its handler. */
async function openFront(port: number, stops: (() => Promise<unknown>)[]) {
  const { promise: given, resolve: use } = Promise.withResolvers<Handler>()
  let handler: Handler = (request, response) => void given.then((handle) => handle(request, response))
  void given.then((handle) => (handler = handle))
  const { server, port: taken } = await listen((request, response) => handler(request, response), port).catch(
    (error: unknown) => {
      throw explainListen(error, port)
    },
  )
  stops.push(async () => {
    server.close()
    server.closeAllConnections()
  })
  return { port: taken, use }
}

/** All of them, or none: those that did start are stopped where another does not. */
async function startAll(starting: Promise<Store>[], stops: (() => Promise<unknown>)[]): Promise<Store[]> {
  const results = await Promise.allSettled(starting)
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  stops.push(() => Promise.all(started.map((store) => store.stop())))
  throwFirst(results)
  return started
}

function throwFirst(results: PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function explainListen(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE')
    return new StoreError(`Port ${port} is in use. Stop what uses it, or set PORT to another one.`)
  if (code === 'EACCES') return new StoreError(`Port ${port} needs more rights. Set PORT to one above 1023.`)
  return error
}

/** Our own settings are not handed on: each process is given its own. */
const inheritable = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/_URL$|^JWT_|^PORT$|^HOST$|^FUNCTION/.test(name)),
  )
