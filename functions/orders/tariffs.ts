import type { Db } from '../shared/store/postgres.ts'
import { shippingMethods, taxRates, type ShippingMethodRow, type TaxRate } from './tariff.ts'

/** All tax rates, those that are valid later included, and all shipping methods. */
export interface Tariff {
  rates: readonly TaxRate[]
  shippingMethods: readonly ShippingMethodRow[]
}

export type ReadTariff = () => Promise<Tariff>

/** How long a process keeps what it has read, in ms. An added rate is applied no later than this. */
const freshMs = 5_000

/**
 * Returns a function that reads the tariff, which each process keeps for some seconds, because it is needed for every
 * order and hardly ever changes.
 * @param now returns the current time, in ms
 */
export function openTariff(db: Db, now: () => number = Date.now): ReadTariff {
  let kept: { tariff: Promise<Tariff>; until: number } | undefined
  return () => {
    if (kept === undefined || kept.until <= now()) {
      const tariff = read(db)
      kept = { tariff, until: now() + freshMs }
      // a failure is not kept
      tariff.catch(() => (kept = undefined))
    }
    return kept.tariff
  }
}

async function read(db: Db): Promise<Tariff> {
  const [rates, methods] = await Promise.all([
    db.select().from(taxRates).execute(),
    db.select().from(shippingMethods).execute(),
  ])
  return { rates, shippingMethods: methods }
}
