// This file imports nothing, so that a function of one store does not load the other's driver.

/**
 * Returns the code of a PostgreSQL error (its SQLSTATE) or of a failed connection, also if drizzle has
 * wrapped it. Returns undefined if there is none.
 */
export const errorCode = (error: unknown): string | undefined => coded(error)?.code

/** Returns the outermost error that has a code; undefined if there is none. */
function coded(error: unknown): { code: string; message: string } | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('code' in e && typeof e.code === 'string') return { code: e.code, message: e.message }
  return undefined
}

/** Returns the detail of a PostgreSQL error; undefined if it has none. */
export function errorDetail(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('detail' in e && typeof e.detail === 'string') return e.detail
  return undefined
}

/** Returns the name of the constraint that a statement violated; undefined if the error names none. */
export function violated(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('constraint_name' in e && typeof e.constraint_name === 'string') return e.constraint_name
  return undefined
}

export const sqlState = { uniqueViolation: '23505', lockNotAvailable: '55P03' } as const

/** The code of every error of PgBouncer itself, from an unreachable server to a wrong password. */
const poolerSays = '08P01'

/** Whether PostgreSQL, or PgBouncer in front of it, refuses the role or its password. */
function isRefused(error: unknown): boolean {
  const { code, message = '' } = coded(error) ?? {}
  if (code === poolerSays) return /^(?:SASL authentication failed|no such user)/.test(message)
  return code === '28P01' || code === '28000'
}

/** The code of the error of a store that was to be used with TLS, but offers none. */
export const noTls = 'NO_TLS'

/** What prevents TLS, and what to do about it, by the code of Node or of NATS’s client. */
const tlsProblems: readonly [codes: RegExp, reason: string, advice: string][] = [
  [/^(?:NO_TLS|SERVER_OPT_NA)$/, 'it offers no TLS', 'Enable TLS there, or correct the URL.'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'its certificate is for another name',
    'Use a name that is in the certificate.',
  ],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'its certificate is not valid at this time', 'Renew it.'],
  [
    /^(?:UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/,
    'no known authority has signed its certificate',
    'Name the authority in the URL, or in NODE_EXTRA_CA_CERTS.',
  ],
]

/** Returns why a store cannot be used with TLS, as it was to be, and what to do; undefined if that is not the reason. */
export function tlsProblem(error: unknown): { reason: string; advice: string } | undefined {
  const code = errorCode(error) ?? ''
  const found = tlsProblems.find(([codes]) => codes.test(code))
  return found && { reason: found[1], advice: found[2] }
}

/** A store or a service cannot be reached or does not respond. A later attempt may succeed. */
export class Unavailable extends Error {}

/**
 * Whether the error means that a store or a service cannot be reached, is starting or is stopping, so that a
 * later attempt may succeed.
 */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Unavailable) return true
  if (error instanceof Error && isMongoUnavailable(ofBulkWrite(error))) return true
  // a certificate can be renewed
  if (tlsProblem(error) !== undefined) return true
  const code = errorCode(error)
  return (
    code !== undefined &&
    !isRefused(error) &&
    /^(?:CONN|ECONN|EHOST|ENET|ENOTFOUND|EAI_|EPIPE|E?TIMEDOUT|TIMEOUT|08|25006|25P04|57P0|57014|53|55P03)/.test(
      code,
    )
  )
}

/**
 * The codes of MongoDB's errors after which a later attempt may succeed. A server that is stopping, or that hands over
 * to another one, returns the state change errors of the Server Discovery and Monitoring specification.
 */
const mongoUnavailable = new Set<unknown>([
  // InternalError: SecantusDB returns it for everything once its disk was full, until it is restarted
  1,
  // OutOfDiskSpace
  14_031,
  // ShutdownInProgress, InterruptedAtShutdown, InterruptedDueToReplStateChange
  91, 11_600, 11_602,
  // PrimarySteppedDown, NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, LegacyNotPrimary
  189, 10_107, 13_435, 13_436, 10_058,
])

/** MongoDB's driver has error names for what has failed before a server answered. */
const isMongoUnavailable = (error: Error): boolean =>
  /^(?:Mongo(?:Network|ServerSelection|ServerClosed|Topology|NotConnected|Pool|ClientClosed)|PoolCleared)/.test(
    error.name,
  ) ||
  (/^Mongo(?:Server|BulkWrite|WriteConcern)Error$/.test(error.name) &&
    [error as { code?: unknown }, ...failedWrites(error)].some(({ code }) => mongoUnavailable.has(code)))

/**
 * Returns the driver's own error that has ended a bulk write, such as that of a lost connection. `MongoBulkWriteError` has
 * it in place of a server's response. Returns any other error as it is.
 */
const ofBulkWrite = (error: Error): Error =>
  'errorResponse' in error && error.errorResponse instanceof Error ? error.errorResponse : error

/** Returns what has failed of several writes that were sent together. The error itself has the code of the first. */
const failedWrites = (error: Error): { code?: unknown }[] =>
  'writeErrors' in error && Array.isArray(error.writeErrors) ? error.writeErrors : []

/**
 * Returns why a store cannot be used, for a message of one line. It never contains an address, because that
 * may contain a password.
 */
export function reasonOf(error: unknown): { code: string | undefined; reason: string } {
  const code = errorCode(error)
  if (isRefused(error)) return { code, reason: 'it refuses the role or its password' }
  if (code === poolerSays) return { code, reason: coded(error)!.message }
  const tls = tlsProblem(error)
  if (tls !== undefined) return { code, reason: tls.reason }
  // MongoDB's driver and NATS's client use error names
  const name = error instanceof Error ? ofBulkWrite(error).name : 'unknown error'
  return { code, reason: code ?? (name === 'Error' ? 'no answer' : name) }
}
