import type { Cause } from '../../../events/emit.ts'
import type { Db } from './postgres.ts'

// These are not in postgres.ts, so that a function of another store does not load its driver.

/** Returns the same database, used on behalf of a request or an event. */
export const withCause = (db: Db, cause: Cause): Db => Object.assign(Object.create(db) as Db, { cause })

/** Returns the dependencies of a domain's functions, used on behalf of a request or an event. */
export const onBehalfOf = <D extends object>(deps: D, cause: Cause): D =>
  'db' in deps ? { ...deps, db: withCause(deps.db as Db, cause) } : deps
