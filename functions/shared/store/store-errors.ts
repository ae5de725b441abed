// Imports nothing, so that a function of one store does not load the other's driver.

/** The code of a PostgreSQL error (its SQLSTATE) or of a failed connection, also if drizzle has wrapped it. */
export const errorCode = (error: unknown): string | undefined => coded(error)?.code

/** The outermost error that has a code. */
function coded(error: unknown): { code: string; message: string } | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('code' in e && typeof e.code === 'string') return { code: e.code, message: e.message }
  return undefined
}

/** The constraint that a PostgreSQL error names. */
export function violated(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause)
    if ('constraint_name' in e && typeof e.constraint_name === 'string') return e.constraint_name
  return undefined
}

export const sqlState = { uniqueViolation: '23505', lockNotAvailable: '55P03' } as const

/** The code of everything that PgBouncer itself says, from a server that is away to a wrong password. */
const poolerSays = '08P01'

/** Whether PostgreSQL, or PgBouncer before it, refuses the role or its password. */
function isRefused(error: unknown): boolean {
  const { code, message = '' } = coded(error) ?? {}
  if (code === poolerSays) return /^(?:SASL authentication failed|no such user)/.test(message)
  return code === '28P01' || code === '28000'
}

/** Something that is not ours cannot be reached or does not answer just now; trying later may help. */
export class Unavailable extends Error {}

/** Whether the error says that a store or a service cannot be reached or is starting or stopping, so that trying later may help. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof Unavailable) return true
  if (error instanceof Error && isMongoUnavailable(error)) return true
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
 * MongoDB's driver has names where others have codes; its server, while it stops or hands over to another one, answers
 * with the state change errors of the Server Discovery and Monitoring specification.
 */
const isMongoUnavailable = (error: Error): boolean =>
  /^(?:Mongo(?:Network|ServerSelection|ServerClosed|Topology|NotConnected|Pool|ClientClosed)|PoolCleared)/.test(
    error.name,
  ) ||
  ('codeName' in error &&
    /^(?:NotWritablePrimary|NotPrimary|PrimarySteppedDown|ShutdownInProgress|Interrupted(?:AtShutdown|DueToRepl))/.test(
      String(error.codeName),
    ))

/** Why a store cannot be used, for the one line that a process prints: never an address, which may hold a password. */
export function reasonOf(error: unknown): { code: string | undefined; reason: string } {
  const code = errorCode(error)
  if (isRefused(error)) return { code, reason: 'it refuses the role or its password' }
  if (code === poolerSays) return { code, reason: coded(error)!.message }
  // MongoDB's driver and NATS's client have names and codes of their own
  const name = error instanceof Error ? error.name : 'unknown error'
  return { code, reason: code ?? (name === 'Error' ? 'no answer' : name) }
}
