import type { Logger } from 'pino'
import { openCouponRedeemer } from '../shared/http/coupon-redeemer.ts'
import { openCustomerReader } from '../shared/http/customer-reader.ts'
import { openProductReader } from '../shared/http/product-reader.ts'
import type { Config } from '../shared/process/config.ts'
import { openDatabase, openEndedSessions } from '../shared/store/open-database.ts'
import { priceKinds } from './price-kinds.ts'
import { openTariff } from './tariffs.ts'
import { createTickets } from './tickets.ts'
import migrations from './migrations/meta/_journal.json' with { type: 'json' }

/** Opens the dependencies of the orders functions. */
export async function open(config: Config, log: Logger, name: string) {
  const { db, ...service } = await openDatabase(config, {
    name,
    domain: 'orders',
    migrations,
    isWatched: true,
  })
  const deadlineMs = config.number('ORDER_DEADLINE_SECONDS', 900) * 1000
  const mostUnpaid = Math.floor(config.number('UNPAID_PIECES', 1000))
  const prices = pricesIn(config)
  const tickets = createTickets(config.need('STREAM_TICKET_KEY'))
  const isSessionEnded = await openEndedSessions(db, () => import('./order.ts'))
  return {
    ...service,
    deps: {
      log,
      db,
      isSessionEnded,
      products: openProductReader(config),
      coupons: openCouponRedeemer(config),
      customers: openCustomerReader(config),
      prices,
      tariff: openTariff(db),
      deadlineMs,
      mostUnpaid,
      tickets,
    },
  }
}

/** @throws UserError if the setting is neither gross nor net */
function pricesIn(config: Config) {
  const wanted = config.get('PRICES') ?? 'gross'
  const kind = priceKinds.find((kind) => kind === wanted)
  if (kind === undefined) throw config.unusable('PRICES')
  return kind
}
