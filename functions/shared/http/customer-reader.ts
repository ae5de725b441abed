import type { Config } from '../process/config.ts'
import { unavailable } from './problems.ts'

/**
 * Returns whether there is a customer, with or without an account.
 * @param authorization the `Authorization` header of a member of staff, who may read all customers
 */
export type CustomerReader = (id: string, authorization: string) => Promise<boolean>

const noCustomers = (cause: unknown) =>
  unavailable('The customers cannot be read just now: try again in a moment.', cause)

/**
 * Returns a reader that calls `get-customer` over HTTP, and `get-user` for users who have not used their profile yet.
 * It throws a Problem 503 if a call fails.
 */
export function openCustomerReader(config: Config): CustomerReader {
  const places = [
    `${config.functionUrl('get-customer')}/api/v1/customers`,
    `${config.functionUrl('get-user')}/api/v1/users`,
  ]
  return async (id, authorization) => {
    for (const place of places) {
      const { ok, status } = await fetch(`${place}/${id}`, {
        headers: { authorization },
        signal: AbortSignal.timeout(5_000),
      }).catch((error: unknown) => {
        throw noCustomers(error)
      })
      if (ok) return true
      if (status !== 404) throw noCustomers(`${place} returned ${status}`)
    }
    return false
  }
}
