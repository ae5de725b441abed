import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { goodBinary, versionOf } from './binary.ts'
import { cacheDir, cached } from './cache.ts'
import type { Daemon } from './daemon.ts'
import { startDaemon } from './daemon.ts'
import { explainDataDir, makeFolder, makePrivateFolder, openDataDir } from './data-dir.ts'
import { fieldOf, textOf } from './field.ts'
import { stopLeftovers } from './leftovers.ts'
import { pipVenv } from './packages.ts'
import { keepPassword, keptPassword, newPassword } from './password.ts'
import type { Store, StoreOptions } from './store.ts'
import { externalStore } from './store.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { reasonOf, withoutSecrets } from './url.ts'

const least = '6'
const downloads = 'https://fastdl.mongodb.org'
const secantus = '0.7.0b3'
// The tested versions of its dependencies. For older Pythons, pip chooses.
const requirements = [
  `secantusdb==${secantus}`,
  'pymongo==4.20.0; python_version >= "3.11"',
  'shapely==2.2.0; python_version >= "3.11"',
  'python-dateutil==4.0.0; python_version >= "3.11"',
  's2sphere==0.2.5',
]
const instead = `put mongod ${least} or newer on the PATH, or set MONGODB_URL`
const day = 86_400_000

const external = async (url: string): Promise<Store> => {
  const shown = withoutSecrets(url)
  const { MongoClient } = await import('mongodb')
  try {
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000, connectTimeoutMS: 5000 })
    try {
      const version = textOf(await client.db('admin').command({ buildInfo: 1 }), 'version')
      return externalStore('mongodb', url, `MongoDB ${version ?? ''} at MONGODB_URL (${shown})`)
    } finally {
      await client.close()
    }
  } catch (error) {
    const reason = reasonOf(error, url)
    throw new UserError(
      `Cannot reach MongoDB at MONGODB_URL (${shown}): ${reason}. Start it, or unset MONGODB_URL.`,
    )
  }
}

/** The kind of server. One cannot read the files of the other, so data can only be used with the server that created it. */
type Engine = 'mongod' | 'secantus'

interface Server {
  engine: Engine
  command: string
  origin: string
}

const folderOf = (dataDir: string, engine: Engine): string => join(dataDir, engine)

const hasData = (dataDir: string, engine: Engine): boolean =>
  existsSync(join(folderOf(dataDir, engine), 'WiredTiger'))

/** Returns whether MongoDB can be downloaded. A failure is remembered for a day, so that not every start waits. */
const downloadsWork = async (): Promise<boolean> => {
  const note = join(cacheDir(), 'mongod-unreachable')
  const noted = statSync(note, { throwIfNoEntry: false })?.mtimeMs
  if (noted !== undefined && Date.now() - noted < day) return false
  try {
    await fetch(downloads, { method: 'HEAD', signal: AbortSignal.timeout(2000) })
    return true
  } catch (error) {
    makeFolder(cacheDir())
    writeFileSync(note, reasonOf(error, downloads))
    return false
  }
}

const downloaded = async (log: StoreOptions['log']): Promise<Server | { why: string }> => {
  const kept = join(cacheDir(), 'mongod')
  if (!existsSync(kept) && !(await downloadsWork()))
    return { why: `${new URL(downloads).host} cannot be reached` }
  try {
    if (!existsSync(kept)) log?.('Downloading MongoDB (first run) …')
    const { MongoBinary } = await import('mongodb-memory-server-core')
    const command = await MongoBinary.getPath({ downloadDir: kept, checkMD5: true })
    const version = await versionOf(command)
    if (version === undefined) return { why: 'the downloaded mongod does not run here' }
    return { engine: 'mongod', command, origin: `MongoDB ${version} downloaded by mongodb-memory-server` }
  } catch (error) {
    return { why: `no mongod could be downloaded: ${reasonOf(error, downloads)}` }
  }
}

const emulated = async (env: NodeJS.ProcessEnv, log: StoreOptions['log']): Promise<Server> => {
  const program = 'bin/python3'
  const folder = await cached({ name: `secantusdb-${secantus}`, program }, async (folder) => {
    log?.(`Installing SecantusDB ${secantus} with pip, 130 MB (first run) …`)
    await pipVenv(folder, { requirements, what: `SecantusDB ${secantus}`, instead, env })
  })
  const origin = `SecantusDB ${secantus}, a MongoDB-compatible server, from PyPI`
  return { engine: 'secantus', command: join(folder, program), origin }
}

const locate = async ({ dataDir, env = process.env, log }: StoreOptions): Promise<Server> => {
  const unset = 'MONGODB_URL is not set'
  if (hasData(dataDir, 'secantus')) {
    const server = await emulated(env, log)
    return { ...server, origin: `${server.origin} (${unset}; it created the data)` }
  }
  const found = await goodBinary('mongod', least, env)
  if ('binary' in found) {
    const { path, version } = found.binary
    return { engine: 'mongod', command: path, origin: `MongoDB ${version} from the PATH (${path}; ${unset})` }
  }
  const fetched = await downloaded(log)
  if ('engine' in fetched) return { ...fetched, origin: `${fetched.origin} (${unset}; ${found.why})` }
  if (hasData(dataDir, 'mongod')) {
    throw new UserError(
      `The data in ${dataDir} was created by MongoDB, which is not available (${found.why}; ${fetched.why}). ` +
        `Put mongod on the PATH, or set DATA_DIR to another folder.`,
    )
  }
  const server = await emulated(env, log)
  return { ...server, origin: `${server.origin} (${unset}; ${found.why}; ${fetched.why})` }
}

const accepts = async (port: number): Promise<boolean> => {
  const socket = createConnection({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

interface Running {
  folder: string
  /** An empty one. */
  config: string
  /** 0 for any free port, which only SecantusDB takes. */
  port: number
  durable: boolean
  /** Whether clients have to log in. */
  auth: boolean
}

const mongodArgs = ({ folder, port, durable, auth }: Running): string[] => [
  `--dbpath=${folder}`,
  '--bind_ip=127.0.0.1',
  `--port=${port}`,
  '--nounixsocket',
  '--wiredTigerCacheSizeGB=0.25',
  ...(durable ? ['--journalCommitInterval=10'] : []),
  ...(auth ? ['--auth'] : []),
]

const secantusArgs = ({ folder, config, port, durable, auth }: Running): string[] => [
  // -s ignores the packages in the user's home; -m because the path in a script's first line breaks when the folder moves
  '-s',
  '-m',
  'secantus',
  `--config=${config}`,
  '--host=127.0.0.1',
  `--port=${port}`,
  '--standalone',
  `--storage-path=${folder}`,
  '--cache-size=64M',
  ...(durable ? ['--sync-on-commit'] : []),
  ...(auth ? ['--auth'] : []),
]

/** Creates the users of the domains (functions/migrate-mongodb.ts). */
const administrator = 'root'

/** MongoDB's error code if a user already exists. */
const userExists = 51_003

/** Creates the administrator, or sets the password if an interrupted start has left one. */
const createAdministrator = async (url: string, pwd: string): Promise<void> => {
  const { MongoClient } = await import('mongodb')
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5000 })
  try {
    const admin = client.db('admin')
    const user = { pwd, roles: ['root'] }
    await admin.command({ createUser: administrator, ...user }).catch((error: unknown) => {
      if (fieldOf(error, 'code') !== userExists) throw error
      return admin.command({ updateUser: administrator, ...user })
    })
  } finally {
    await client.close()
  }
}

/**
 * Starts a MongoDB-compatible server: the one at MONGODB_URL, or else mongod 6 or newer on the PATH, a downloaded mongod, or
 * SecantusDB (always in its own process, because its licence is the GPL). It runs standalone, without change streams and
 * transactions. Clients log in; the URL is the administrator's.
 * @throws UserError that says what to do
 */
export const startMongo = async (options: StoreOptions): Promise<Store> => {
  const { dataDir, env = process.env, durable = true, log } = options
  if (env['MONGODB_URL']) return external(env['MONGODB_URL'])
  openDataDir(dataDir)
  await stopLeftovers(dataDir, { name: 'mongodb', ...(log && { log }) })
  const { engine, command, origin } = await locate(options)
  const folder = folderOf(dataDir, engine)
  const config = join(dataDir, 'secantusd.toml')
  const passwordFile = join(dataDir, `${engine}.password`)
  try {
    // it belongs to data that was removed
    if (!hasData(dataDir, engine)) rmSync(passwordFile, { force: true })
    makePrivateFolder(folder)
    // without a configuration file, it would look for one in the current folder and in the user's home
    if (engine === 'secantus') writeFileSync(config, '')
  } catch (error) {
    throw explainDataDir(error, dataDir)
  }

  const run = async (auth: boolean): Promise<Store> => {
    // SecantusDB chooses a free port itself, and logs it
    const port = options.port ?? (engine === 'mongod' ? await freePort() : 0)
    const listening = engine === 'secantus' ? /listening on 127\.0\.0\.1:(\d+)/ : /Waiting for connections/
    const running = { folder, config, port, durable, auth }
    const daemon: Daemon = {
      name: 'mongodb',
      title: engine === 'mongod' ? 'MongoDB' : 'SecantusDB',
      origin,
      dataDir,
      command,
      args: engine === 'secantus' ? secantusArgs(running) : mongodArgs(running),
      env: { ...env, PYTHONUNBUFFERED: '1', MALLOC_ARENA_MAX: '2' },
      stopSignal: 'SIGTERM',
      ready: async (_pid, log) => {
        const match = listening.exec(log())
        const at = port || Number(match?.[1] ?? 0)
        // a full disk has no room for the log
        const isListening = match !== null || options.port !== undefined
        if (!isListening || !(await accepts(at))) return undefined
        const login = auth ? `${administrator}:${keptPassword(passwordFile)}@` : ''
        return `mongodb://${login}127.0.0.1:${at}/?directConnection=true${auth ? '&authSource=admin' : ''}`
      },
      // SecantusDB only notices the signal on a new connection, or after 2 s
      nudge: (url) => void accepts(Number(new URL(url).port)),
    }
    return startDaemon(daemon)
  }

  if (keptPassword(passwordFile) === undefined) {
    // with authentication, SecantusDB lets nobody create the first user
    const open = await run(false)
    const password = newPassword()
    try {
      await createAdministrator(open.url, password)
    } finally {
      await open.stop()
    }
    keepPassword(passwordFile, password)
  }
  return run(true)
}
