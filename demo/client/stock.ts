import type { Client } from './client.ts'
import { good } from './good.ts'

const of = (sku: string) => ({ params: { path: { sku } } })

export const readStock = (who: Client, sku: string) => good(who.GET('/stock/{sku}', of(sku)))

/** Receives stock, as a member of staff. */
export const receiveStock = (staff: Client, sku: string, quantity: number) =>
  good(staff.POST('/stock/{sku}/adjustments', { ...of(sku), body: { quantity, reason: 'received' } }))
