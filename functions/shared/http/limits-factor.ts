import { UserError } from '../process/user-error.ts'

/**
 * Reads LIMITS_FACTOR, which multiplies every limit on requests; 0 means that there are none.
 * @throws UserError if it is not a number of at least 0
 */
export function readLimitsFactor(text: string | undefined): number {
  if (text === undefined || text === '') return 1
  const factor = Number(text)
  if (text.trim() !== '' && factor >= 0 && factor < Infinity) return factor
  throw new UserError(
    `LIMITS_FACTOR=${text}: set it to a number, such as 2 to double every limit, or 0 for no limits.`,
  )
}
