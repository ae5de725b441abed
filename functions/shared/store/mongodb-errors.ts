import { MongoBulkWriteError, MongoServerError } from 'mongodb'

/** Returns whether a unique index caused the error; with `field`, whether one on that field did. */
export const isDuplicate = (error: unknown, field?: string): boolean =>
  error instanceof MongoServerError &&
  error.code === 11_000 &&
  // the server's description of the violated index
  (field === undefined || field in ((error['keyPattern'] ?? {}) as object))

/**
 * Returns which of the documents of an unordered write a unique index has refused, by their positions.
 * @throws the error itself if anything else has failed
 */
export function duplicatesIn(error: unknown): Set<number> {
  const errors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : []
  if (errors.length === 0 || errors.some(({ code }) => code !== 11_000)) throw error
  return new Set(errors.map(({ index }) => index))
}
