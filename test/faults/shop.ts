/** A whole shop with a process for each function, on stores that a fault can kill, cut off and restart. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient, type Collection } from 'mongodb'
import { connect } from 'nats'
import postgres from 'postgres'
import { natsOptions } from '../../events/nats-url.ts'
import { fileOf } from '../../functions/deployment.ts'
import { deliveryKeysSetting } from '../../functions/shared/process/config.ts'
import type { Degraded } from '../../functions/shared/process/service.ts'
import { reactions, type Domain, type ReactionName } from '../../functions/table.ts'
import { startInstance } from '../../local/activator/instance.ts'
import { demoPassword } from '../../local/people.ts'
import type { FunctionReport } from '../../local/activator/report.ts'
import { localSecrets } from '../../local/secrets.ts'
import { openDataDir } from '../../local/stores/data-dir.ts'
import { startMongo } from '../../local/stores/mongodb.ts'
import { startNats } from '../../local/stores/nats.ts'
import { startPostgres } from '../../local/stores/postgres.ts'
import type { Store } from '../../local/stores/store.ts'
import { temporaryDataDir, temporaryFolder } from '../../local/stores/temporary.ts'
import { startSystem } from '../../local/system.ts'
import { testClient } from '../client.ts'
import { deliveryHeaders } from '../deliveries.ts'
import { openLink, type Link } from '../link.ts'
import { readBooks, type Books } from './checker.ts'
import { mountDisk } from './disk.ts'
import { folderOf, type Mutation } from './mutations.ts'

/** How long an order may wait for stock and payment by default. */
export const deadlineMs = 60_000

const starts = { postgres: startPostgres, nats: startNats, mongodb: startMongo }
export type StoreName = keyof typeof starts
const urlSettings = { postgres: 'DATABASE_URL', nats: 'NATS_URL', mongodb: 'MONGODB_URL' }

/** Mounts a disk for the data of each store. PostgreSQL's holds everything else, too. */
function mountDisks(dataDir: string) {
  const mount = (name: string, folder: string, megabytes: number) => ({
    name,
    folder,
    ...mountDisk(folder, megabytes),
  })
  const first = mount('postgres', dataDir, 500)
  openDataDir(dataDir)
  // the server of MongoDB's data is chosen later
  const others = { nats: 32, secantus: 64, mongod: 200 }
  return [first, ...Object.entries(others).map(([name, size]) => mount(name, join(dataDir, name), size))]
}

export interface Options {
  /** A deliberate bug to build in, which the checker must report. */
  broken?: Mutation | undefined
  /** How long an order may wait for stock and payment. */
  orderDeadlineMs?: number
  /** Whether the shop runs its stores itself, as `npm start` does, each on a small disk. Needs root. */
  isEmbedded?: boolean
  /** Called with each line that a process writes. */
  log?: (line: string) => void
}

export async function openFaultShop({
  broken,
  orderDeadlineMs = deadlineMs,
  isEmbedded = false,
  log = () => {},
}: Options = {}) {
  const outside = temporaryFolder()
  const points = join(outside.folder, 'points')
  mkdirSync(join(points, 'passed'), { recursive: true })
  const folder = temporaryDataDir()
  const disks = isEmbedded ? mountDisks(folder.dataDir) : []
  const dist = join(
    import.meta.dirname,
    '../../.data/faults',
    broken === undefined ? 'dist' : folderOf(broken),
  )
  if (broken !== undefined) rmSync(dist, { recursive: true, force: true })

  const stores = new Map<StoreName, Store>()
  const folders = new Map<StoreName, ReturnType<typeof temporaryDataDir>>()
  /** The shop knows no other, so a broker that has lost its disk gets it, too. */
  let natsPassword: string | undefined
  const links = { provider: await openLink('http://127.0.0.1:1') } as Record<StoreName | 'provider', Link>
  const names = isEmbedded ? [] : (Object.keys(starts) as StoreName[])
  await Promise.all(
    names.map(async (name) => {
      folders.set(name, temporaryDataDir())
      const store = await start(name)
      links[name] = await openLink(store.url)
    }),
  )
  const system = await startSystem({
    dataDir: folder.dataDir,
    env: {
      ...process.env,
      FAILPOINTS: points,
      ...Object.fromEntries(names.map((name) => [urlSettings[name], links[name].url])),
    },
    bundler: { script: join(import.meta.dirname, 'build.ts'), dist },
    inProcess: false,
    settings: {
      ORDER_DEADLINE_SECONDS: String(orderDeadlineMs / 1000),
      // longer than any fault keeps deliveries away
      REDEMPTION_SECONDS: String((orderDeadlineMs * 1.5) / 1000),
      // the traffic sends more than people do
      LIMITS_FACTOR: '0',
      // during a fault, a few customers order without end, and nothing is paid
      UNPAID_PIECES: '1000000',
      REDELIVER_AFTER_SECONDS: '2',
      RETRY_DELAYS_SECONDS: '0.2,0.5,1,2,4,8',
      PAYMENT_PROVIDER_URL: links.provider.url.replace(/\/$/, ''),
    },
    port: 0,
    window: 60,
    maxScale: undefined,
    say: log,
    log: (name, line) => log(`${name} ${line}`),
  }).catch(async (error: unknown) => {
    await stopStores()
    throw error
  })
  const secrets = await localSecrets(folder.dataDir)
  const sandbox = `http://127.0.0.1:${system.environment.portOf('payment-sandbox')}`
  links.provider.restore(sandbox)

  function start(name: StoreName): Promise<Store> {
    const options = {
      dataDir: folders.get(name)!.dataDir,
      env: { PATH: process.env['PATH'] },
      durable: true,
      ...(name === 'nats' && natsPassword !== undefined ? { password: natsPassword } : {}),
    }
    return starts[name](options).then((store) => {
      if (name === 'nats') natsPassword = new URL(store.url).password
      stores.set(name, store)
      return store
    })
  }

  /** Returns the processes of functions. */
  function instances() {
    const { functions } = system.backend.scale() as { functions: Record<string, FunctionReport> }
    return Object.entries(functions).flatMap(([name, { instances }]) =>
      instances.map((instance) => ({ name, ...instance })),
    )
  }

  /** Returns the processes that are running. */
  function processes(): { name: string; pid: number }[] {
    return [...instances().map(({ name, pid }) => ({ name, pid })), ...system.backend.processes()].filter(
      (one): one is { name: string; pid: number } => one.pid !== undefined,
    )
  }

  /** The address of a store itself, not of its link. */
  const urlOf = (name: StoreName) => (stores.get(name) ?? embedded(name)).url

  /** A store that the shop runs itself. */
  const embedded = (name: StoreName) => system.stores.find((store) => store.name === name)!

  /** The processes of a name that have reported their clock's offset. A process that is starting has not. */
  const withClocks = (name: string) =>
    processes().flatMap(({ name: its, pid }) => {
      const told = join(points, `clock-of-${pid}`)
      return its === name && existsSync(told) ? [{ pid, offset: readFileSync(told, 'utf8') }] : []
    })

  async function mongodb<T>(work: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(urlOf('mongodb'))
    try {
      return await work(client)
    } finally {
      await client.close()
    }
  }

  async function stopStores() {
    for (const link of Object.values(links)) link.close()
    await Promise.all([...stores.values()].map((store) => store.stop()))
    for (const disk of disks.toReversed()) disk.unmount()
    await Promise.all([folder.remove(), ...[...folders.values()].map((one) => one.remove())])
    outside.remove()
  }

  return {
    ...testClient(system.url.replace('localhost', '127.0.0.1'), demoPassword),
    links,
    /** The payment provider itself, not its link, and the key of its webhooks. */
    provider: {
      url: sandbox,
      key: secrets.files['payment-provider-key']!,
      webhookKey: secrets.files['payment-webhook-keys']!,
    },
    points,
    /** The disks that are in use, if the shop runs its stores itself. */
    disks: disks.filter(({ folder }) => readdirSync(folder).length > 0),
    /** The process of a store that the shop runs itself; undefined while it is started again. */
    storePid: (name: StoreName) => embedded(name).pid,
    /** What does not work, as `GET /_scale` says. */
    degraded: async () => {
      const response = await fetch(`${system.url.replace('localhost', '127.0.0.1')}/_scale`)
      return ((await response.json()) as { degraded: Degraded[] }).degraded
    },
    sites: () => JSON.parse(readFileSync(join(dist, 'sites.json'), 'utf8')) as string[],
    /** Kills a store, like a crash. */
    kill: async (name: StoreName) => {
      const store = stores.get(name)!
      links[name].cut()
      // SIGQUIT is PostgreSQL's immediate shutdown: no checkpoint, all sessions and helpers end
      process.kill(store.pid!, name === 'postgres' ? 'SIGQUIT' : 'SIGKILL')
      await store.died
    },
    /** Starts a killed store, with its data or, if `empty`, without. */
    revive: async (name: StoreName, { empty = false } = {}) => {
      if (empty) {
        await folders.get(name)!.remove()
        folders.set(name, temporaryDataDir())
      }
      links[name].restore((await start(name)).url)
    },
    processes,
    /** Whether a process of a function is starting. */
    isStarting: () => instances().some(({ state }) => state === 'starting'),
    /** Stops a process (SIGSTOP) during `work`, then resumes it. */
    frozen: async <T>(pid: number, work: () => Promise<T>): Promise<T> => {
      process.kill(pid, 'SIGSTOP')
      try {
        return await work()
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    },
    /** Sets the clocks of a name's running and future processes to an offset from the true time, in ms. */
    setClock: (name: string, offset: number) => {
      writeFileSync(join(points, `clock-${name}`), String(offset))
      for (const { pid } of withClocks(name))
        try {
          process.kill(pid, 'SIGUSR2')
        } catch {
          // it has ended
        }
    },
    /** Whether a process of this name uses this offset. */
    runsAt: (name: string, offset: number) => withClocks(name).some((one) => one.offset === String(offset)),
    /** Starts a second process of a service or a reaction. */
    startSecond: async (name: 'relay' | ReactionName) => {
      const instance = startInstance({
        name,
        command: process.execPath,
        args: [join(dist, 'functions/main.js')],
        env: {
          PATH: process.env['PATH'],
          FAILPOINTS: points,
          ...(name === 'relay' ? system.environment.ofService(name) : system.environment.ofFunction(name)),
        },
        log: (name, line) => log(`${name} ${line}`),
      })
      await instance.ready
      return instance
    },
    urlOf,
    /** Runs work on MongoDB, directly and not through its link. */
    mongodb,
    /** Runs work on the products. */
    products: <T>(work: (products: Collection) => Promise<T>): Promise<T> =>
      mongodb((client) => work(client.db('products').collection('products'))),
    /** Runs work on PostgreSQL, directly and not through its link. */
    sql: async <T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
      const sql = postgres(urlOf('postgres'), { max: 2, onnotice: () => {} })
      try {
        return await work(sql)
      } finally {
        await sql.end({ timeout: 5 })
      }
    },
    books: (): Promise<Books> =>
      readBooks({
        postgres: urlOf('postgres'),
        mongodb: urlOf('mongodb'),
        sandbox,
        sandboxKey: secrets.files['payment-provider-key']!,
      }),
    /** Connects to the broker, through its link. */
    connectNats: () => connect(natsOptions(links.nats.url)),
    /** The headers of a delivery of the event to a reaction, signed as by the dispatcher. */
    deliveryHeaders: (name: ReactionName, body: string) => {
      const setting = deliveryKeysSetting(reactions[name].domain)
      return deliveryHeaders(body, secrets.files[fileOf(setting)])
    },
    /** The URL of the database with a domain's role. */
    databaseOf: (role: Domain) => system.environment.database(role),
    functionUrl: (name: string) =>
      system.environment.ofFunction('get-stock').FUNCTION_URL!.replace('{function}', name),
    stop: async () => {
      await system.stop()
      await stopStores()
    },
  }
}

export type FaultShop = Awaited<ReturnType<typeof openFaultShop>>
