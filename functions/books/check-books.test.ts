import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openShop, type TestShop } from '../../test/shop.ts'
import { checks, findInBooks, rightsOfChecks } from './check-books.ts'
import { createMonitor } from '../shared/store/roles.ts'
import { databaseRoles } from '../table.ts'

let shop: TestShop
let admin: postgres.Sql
let monitor: postgres.Sql
beforeAll(async () => {
  shop = await openShop([])
  admin = postgres(shop.admin, { max: 1, onnotice: () => {} })
  await createMonitor(admin, 'monitoring', (role) => rightsOfChecks(role, databaseRoles))
  const url = Object.assign(new URL(shop.database('monitoring')), { password: 'monitoring' })
  monitor = postgres(url.href, { max: 1 })
  // what the checks look for is what the constraints refuse
  await admin.unsafe(`
    alter table stock.items drop constraint available_not_negative, drop constraint nothing_lost;
    alter table payments.payments drop constraint payments_captured, drop constraint payments_left`)
})
afterAll(async () => {
  await monitor.end()
  await admin`drop owned by monitoring`
  await admin`drop role monitoring`
  await admin.end()
  await shop.close()
})

const wrong = async () => (await findInBooks(monitor)).filter(({ rows }) => rows > 0)

const item = (available: number, received: number) => admin`
  insert into stock.items (sku, seller_id, available, reserved, sold, received)
  values (${randomUUID()}, ${randomUUID()}, ${available}, 0, 0, ${received})`

const payment = (of: { amount: number; captured: number; refunded?: number; order?: string }) => admin`
  insert into payments.payments (id, order_id, status, amount, currency, captured, refunded)
  values (${randomUUID()}, ${of.order ?? randomUUID()}, 'captured', ${of.amount}, 'EUR', ${of.captured}, ${of.refunded ?? 0})`

/** Adds an invoice whose hash is its number. Each year is another series here, so that no two mistakes meet. */
const invoice = (year: number, seq: number, previous: string, of: string = randomUUID()) => admin`
  insert into invoices.invoices
    (id, series, year, seq, number, source, order_id, payment_id, customer_id, issued_at, content, previous_hash, hash)
  values (${randomUUID()}, ${`S${year}`}, ${year}, ${seq}, ${`S-${year}-${seq}`}, ${randomUUID()}, ${randomUUID()}, ${of},
    ${randomUUID()}, now(), '{}', ${previous}, ${`S-${year}-${seq}`})`

async function order(status: string, endedHoursAgo: number) {
  const id = randomUUID()
  await admin`
    insert into orders.orders (id, customer_id, status, lines, total_amount, currency, updated_at)
    values (${id}, ${randomUUID()}, ${status}, '[]', 10, 'EUR', now() - make_interval(hours => ${endedHoursAgo}))`
  return id
}

/** What each check finds, as a shop that has come about by hand would have it. */
const mistakes: Record<string, () => Promise<unknown>> = {
  'stock-below-zero': () => item(-1, -1),
  'stock-does-not-add-up': () => item(1, 2),
  'captured-too-much': () => payment({ amount: 10, captured: 11 }),
  'refunded-too-much': () => payment({ amount: 10, captured: 10, refunded: 11 }),
  'cancelled-but-paid': async () => payment({ amount: 10, captured: 10, order: await order('cancelled', 2) }),
  'completed-but-unpaid': async () =>
    payment({ amount: 10, captured: 0, order: await order('completed', 2) }),
  'captured-but-not-invoiced': async () => {
    await invoice(2001, 1, '', '00000000-0000-7000-8000-000000000000')
    await payment({ amount: 10, captured: 10 })
    await admin`
      with late as (
        update payments.payments set updated_at = now() - interval '2 hours'
        where id = (select id from payments.payments order by created_at desc limit 1) returning id
      )
      insert into payments.captures (id, payment_id, amount, status) select uuidv7(), id, 10, 'done' from late`
  },
  'invoice-missing': async () => {
    await invoice(2002, 1, '')
    await invoice(2002, 3, 'S-2002-1')
  },
  'invoice-out-of-chain': async () => {
    await invoice(2003, 1, '')
    await invoice(2003, 2, 'another')
  },
}

describe('the checks of the books', () => {
  it('find nothing in a shop where all is right, and nothing that is still under way', async () => {
    await item(2, 2)
    await payment({ amount: 10, captured: 10, order: await order('completed', 2) })
    await payment({ amount: 10, captured: 10, refunded: 10, order: await order('cancelled', 2) })
    await payment({ amount: 10, captured: 10, order: await order('cancelled', 0) })
    expect((await findInBooks(monitor)).map(({ check, rows }) => ({ check, rows }))).toEqual(
      Object.keys(checks).map((check) => ({ check, rows: 0 })),
    )
  })

  it.each(Object.keys(checks))('find %s', async (check) => {
    const before = await wrong()
    await mistakes[check]!()
    const found = (await wrong()).filter(({ check }) => !before.some((known) => known.check === check))
    expect(found).toEqual([{ check, rows: 1 }])
  })

  it('are left out where a domain is not there', async () => {
    await admin`alter schema stock rename to other`
    const found = await findInBooks(monitor)
    await admin`alter schema other rename to stock`
    expect(found.map(({ check }) => check)).toEqual(
      Object.keys(checks).filter((check) => !check.startsWith('stock')),
    )
  })
})

it('lets the role of the monitoring read what the checks read, and no names, addresses or cards', async () => {
  for (const query of [
    'select * from payments.payments',
    'select customer_id from orders.orders',
    'select * from users.users',
    'select * from events.outbox',
  ])
    await expect(monitor.unsafe(query)).rejects.toMatchObject({ code: '42501' })
  await expect(monitor`update stock.items set available = 0`).rejects.toMatchObject({ code: '42501' })
})
