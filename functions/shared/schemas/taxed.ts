import * as z from 'zod'
import { Amount } from './schemas.ts'

/** An amount with and without tax, as orders, invoices and returns show it. `gross` is always `net + tax`. */
export const taxedFields = {
  net: Amount,
  taxRate: z.int().meta({ description: 'In hundredths of a percent: 1900 is 19 %.', example: 1900 }),
  tax: Amount,
  gross: Amount,
}

/** Amounts are in minor units, `taxRate` is in hundredths of a percent. */
export interface Taxed {
  net: number
  taxRate: number
  tax: number
  gross: number
}
