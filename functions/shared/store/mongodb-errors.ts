import { MongoServerError } from 'mongodb'

/** Returns whether a unique index caused the error; with `field`, whether one on that field did. */
export const isDuplicate = (error: unknown, field?: string): boolean =>
  error instanceof MongoServerError &&
  error.code === 11_000 &&
  // the server's description of the violated index
  (field === undefined || field in ((error['keyPattern'] ?? {}) as object))
