import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import postgres from 'postgres'
import { startMongo } from '../local/stores/mongodb.ts'
import { startNats } from '../local/stores/nats.ts'
import { startPostgres } from '../local/stores/postgres.ts'
import { giveTo, postgresUser } from '../local/stores/postgres-user.ts'
import { temporaryDataDir } from '../local/stores/temporary.ts'
import { openAuthority } from './certificates.ts'

/**
 * Starts stores that accept no unencrypted client. Their certificate is for `localhost` and for no other name.
 * @returns their addresses by this name, and the files of the authority that has signed it and of another one
 */
export async function startTlsStores() {
  const { dataDir, remove } = temporaryDataDir()
  const authority = openAuthority()
  const certificate = authority.sign('localhost')
  const file = (name: string, content: string) => {
    const path = join(dataDir, name)
    writeFileSync(path, content, { mode: 0o600 })
    giveTo(path, postgresUser())
    return path
  }
  const files = { cert: file('server.crt', certificate.cert), key: file('server.key', certificate.key) }
  const options = { dataDir, durable: false, env: { PATH: process.env['PATH'] } }
  const [sql, nats, mongo] = await Promise.all([
    startPostgres(options),
    startNats(options),
    startMongo(options),
  ])
  await encryptPostgres(sql.url, join(dataDir, 'postgres'), files)
  appendFileSync(
    join(dataDir, 'nats', 'nats.conf'),
    `tls { cert_file: ${JSON.stringify(files.cert)}, key_file: ${JSON.stringify(files.key)} }\n`,
  )
  process.kill(nats.pid!, 'SIGHUP')
  const front = await openFront(mongo.url, certificate)
  const named = (url: string) => url.replace('127.0.0.1', 'localhost')
  return {
    dataDir,
    postgres: named(sql.url),
    nats: named(nats.url).replace('nats:', 'tls:'),
    mongodb: named(mongo.url).replace(/:\d+\//, `:${front.port}/`),
    authority: file('authority.crt', authority.pem),
    stranger: file('stranger.crt', openAuthority().pem),
    async stop() {
      front.close()
      await Promise.all([sql, nats, mongo].map((store) => store.stop()))
      await remove()
    },
  }
}

async function encryptPostgres(url: string, cluster: string, { cert, key }: { cert: string; key: string }) {
  const admin = postgres(url, { max: 1 })
  await admin.unsafe(`alter system set ssl_cert_file = '${cert}'`)
  await admin.unsafe(`alter system set ssl_key_file = '${key}'`)
  await admin`alter system set ssl = on`
  writeFileSync(join(cluster, 'pg_hba.conf'), 'hostssl all all all scram-sha-256\n')
  await admin`select pg_reload_conf()`
  await admin.end()
}

/** MongoDB-compatible servers for tests cannot all use TLS, so this decrypts for them. */
async function openFront(url: string, { cert, key }: { cert: string; key: string }) {
  const { port, hostname } = new URL(url)
  const server = createServer({ cert, key }, (near) => {
    const far = connect(Number(port), hostname)
    near.pipe(far).pipe(near)
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
  })
  // clients that do not trust the certificate
  server.on('tlsClientError', () => {}).listen(0, 'localhost')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}
