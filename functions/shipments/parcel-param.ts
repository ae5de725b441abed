import * as z from 'zod'
import { Id } from '../shared/schemas/schemas.ts'

export const ParcelParam = z.object({ id: Id, parcelId: Id })
