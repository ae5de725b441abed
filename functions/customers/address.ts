import * as z from 'zod'
import { Problem } from '../shared/http/problems.ts'
import { Address, changeOf, Id, text, Timestamp } from '../shared/schemas/schemas.ts'
import { pageOf } from '../shared/http/paging.ts'
import { pathOf, type AddressRow } from './customer.ts'

/** The schemas of saved addresses. */

export const AddressParams = z.object({ id: Id, addressId: Id })

const Label = text(50).meta({ description: 'What the customer calls it.', example: 'home' })
const IsDefault = z.boolean().meta({ description: 'One is the default, unless there are none.' })

export const SavedAddress = z
  .object({
    id: Id,
    label: z.string(),
    address: Address,
    isDefault: IsDefault,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'SavedAddress' })
export type SavedAddress = z.infer<typeof SavedAddress>

export const SavedAddresses = pageOf(SavedAddress, 'SavedAddresses')

export const NewAddress = z
  .strictObject({
    label: Label,
    address: Address,
    isDefault: z.boolean().default(false).meta({ description: 'The first one is the default in any case.' }),
  })
  .meta({ id: 'NewAddress' })

export const AddressChange = changeOf(
  {
    label: Label.optional(),
    address: Address.optional(),
    isDefault: z.literal(true, 'make another one the default instead').optional(),
  },
  'AddressChange',
)

/** Converts a row to the API's saved address. */
export const toAddress = ({
  id,
  label,
  address,
  isDefault,
  createdAt,
  updatedAt,
}: AddressRow): SavedAddress => ({
  id,
  label,
  address,
  isDefault,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})

export const addressPath = (customerId: string, id: string) => `${pathOf(customerId)}/addresses/${id}`

export const noSuchAddress = () => new Problem('not-found', { detail: 'There is no such address.' })
