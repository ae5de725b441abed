import type { Cause } from '../../../events/emit.ts'
import type { Db } from './postgres.ts'

// Apart from postgres.ts, so that a function of another store does not load its driver.

/** The same database, used on behalf of a request or an event. */
export const withCause = (db: Db, cause: Cause): Db => Object.assign(Object.create(db) as Db, { cause })

/** What a domain's functions work with, on behalf of a request or an event. */
export const onBehalfOf = <D extends object>(deps: D, cause: Cause): D =>
  'db' in deps ? { ...deps, db: withCause(deps.db as Db, cause) } : deps
