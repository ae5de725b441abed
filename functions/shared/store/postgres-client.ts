import postgres from 'postgres'
import { telemetry } from '../telemetry/telemetry.ts'
import { openSockets } from './postgres-sockets.ts'
import { splitTls } from './postgres-url.ts'

type NoTypes = Record<string, postgres.PostgresType>

/** The longest that connecting may take, in ms. */
export const connectMs = 3_000

/**
 * Returns a client. It connects with TLS if the URL has an `sslmode` that says so, and then never without.
 * @param setting the setting that contains the URL, for error messages
 * @param silentMs how long to wait for a response before the connection is given up, in ms
 * @throws UserError if what the URL says about TLS cannot be used
 */
export function openClient(
  address: string,
  { setting, silentMs, ...options }: { setting: string; silentMs: number } & postgres.Options<NoTypes>,
): postgres.Sql {
  const { url, tls } = splitTls(address, setting)
  const client = postgres(url, {
    ...options,
    // the sockets are encrypted already
    ssl: false,
    // documented, but missing from the library's types
    ...({ socket: openSockets({ tls, silentMs, connectMs }) } as object),
  })
  return telemetry()?.postgres(client) ?? client
}
