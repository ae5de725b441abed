import * as z from 'zod'

/** What a country taxes alike. `zero` is never taxed; the rates of the others are in the table of the orders domain. */
export const taxClasses = ['standard', 'reduced', 'zero'] as const
export const TaxClass = z.enum(taxClasses)
export type TaxClass = z.infer<typeof TaxClass>

/** A weight in grams; one ton at most. */
export const Weight = z.int().min(0).max(1_000_000)
