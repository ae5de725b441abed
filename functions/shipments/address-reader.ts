import * as z from 'zod'
import { Problem, unavailable } from '../shared/http/problems.ts'
import type { Config } from '../shared/process/config.ts'
import { Address } from '../shared/schemas/schemas.ts'

/**
 * Reads where an order is delivered. Returns null if that is forgotten.
 * @param authorization the `Authorization` header of a member of staff, who may read all orders
 */
export type AddressReader = (orderId: string, authorization: string) => Promise<Address | null>

const Answer = z.object({ deliveryAddress: Address.nullable() })

const noAddress = (cause: unknown) =>
  unavailable('The address cannot be read just now: try again in a moment.', cause)

/**
 * Returns a reader that calls `get-order` over HTTP. The order alone keeps the address, so that there is one place where
 * it is changed and forgotten; events must not contain it.
 * @throws Problem 503 if the call fails
 */
export function openAddressReader(config: Config): AddressReader {
  const url = `${config.functionUrl('get-order')}/api/v1/orders`
  return async (orderId, authorization) => {
    const response = await fetch(`${url}/${orderId}`, {
      headers: { authorization },
      signal: AbortSignal.timeout(5_000),
    }).catch((error: unknown) => {
      throw noAddress(error)
    })
    if (response.status === 404)
      throw new Problem('not-found', { detail: 'There is no shipment with this id.' })
    if (!response.ok) throw noAddress(`get-order returned ${response.status}`)
    return Answer.parse(await response.json()).deliveryAddress
  }
}
