import type postgres from 'postgres'
import { listeners } from '../events/listeners.table.ts'

/** The number of events of a completed order, each of which is a row of the outbox. */
export const eventsPerOrder = 10
/** The number of orders that one transaction writes. */
const batch = 25_000
/** How old the oldest order is. Events are kept for seven days, so the relay removes none of them meanwhile. */
const span = '6 days 20 hours'

/** The events of a completed order: when each was emitted, in s after the first, and its data. */
const story = [
  {
    type: 'order.placed',
    after: 0,
    data: `jsonb_build_object('orderId', id, 'customerId', customer, 'total', total, 'lines', lines)`,
  },
  {
    type: 'order.deadline-reached',
    after: 0,
    dueAfter: '15 minutes',
    data: `jsonb_build_object('orderId', id, 'milestone', 'confirmation')`,
  },
  {
    type: 'stock.reserved',
    after: 0.05,
    data: `jsonb_build_object('orderId', id, 'customerId', customer, 'total', total)`,
  },
  {
    type: 'payment.authorized',
    after: 0.1,
    data: `jsonb_build_object('orderId', id, 'paymentId', payment, 'amount', total)`,
  },
  { type: 'order.confirmed', after: 0.15, data: `jsonb_build_object('orderId', id)` },
  {
    type: 'order.deadline-reached',
    after: 0.15,
    dueAfter: '7 days',
    data: `jsonb_build_object('orderId', id, 'milestone', 'shipment')`,
  },
  { type: 'order.shipped', after: 600, data: `jsonb_build_object('orderId', id)` },
  {
    type: 'payment.captured',
    after: 600.1,
    data: `jsonb_build_object('orderId', id, 'paymentId', payment, 'amount', total)`,
  },
  { type: 'order.completed', after: 600.15, data: `jsonb_build_object('orderId', id)` },
  { type: 'stock.committed', after: 600.2, data: `jsonb_build_object('orderId', id)` },
]

/** The timeline of a completed order. */
const entries = [
  { type: 'order.placed', after: 0, status: 'placed' },
  { type: 'stock.reserved', after: 0.05, status: 'reserved' },
  { type: 'payment.authorized', after: 0.1, status: 'reserved' },
  { type: 'order.confirmed', after: 0.15, status: 'confirmed' },
  { type: 'order.shipped', after: 600, status: 'shipped' },
  { type: 'payment.captured', after: 600.1, status: 'shipped' },
  { type: 'order.completed', after: 600.15, status: 'completed' },
  { type: 'stock.committed', after: 600.2, status: 'completed' },
]

/**
 * Fills the tables with completed orders of the last days: each with its timeline, reservation, payment, outbox and
 * inbox rows, and those of the last day with their stored answers, too. All events are settled, except that the
 * deadline for the shipment of each order is still in the future.
 * @param customers the first customers; others follow them, so that each has some ten orders
 */
export async function fillTables(sql: postgres.Sql, orders: number, customers: readonly string[]) {
  await sql.unsafe(`set synchronous_commit = off; set statement_timeout = 0`)
  await sql.unsafe(`create temporary table story (nth int, type text, after interval, due_after interval, awaits text[]);
    create temporary table entries (seq int, type text, after interval, status text);
    create temporary table customers (nth int primary key, id uuid)`)
  await sql`insert into story select nth, type, after * interval '1 s', "dueAfter"::interval, awaits
    from jsonb_to_recordset(${JSON.stringify(story.map((event, nth) => ({ ...event, nth, awaits: listeners[event.type] ?? [] })))}::text::jsonb)
      as given (nth int, type text, after float, "dueAfter" text, awaits text[])`
  await sql`insert into entries select seq, type, after * interval '1 s', status
    from jsonb_to_recordset(${JSON.stringify(entries.map((entry, i) => ({ ...entry, seq: i + 1 })))}::text::jsonb)
      as given (seq int, type text, after float, status text)`
  await sql`insert into customers select nth, coalesce((${JSON.stringify(customers)}::text::jsonb ->> nth)::uuid, uuidv7())
    from generate_series(0, ${Math.max(customers.length, orders / 10)}::int - 1) as nth`
  for (let from = 0; from < orders; from += batch)
    await fillBatch(sql, { from, to: Math.min(from + batch, orders), orders })
  // the stock that they have bought
  await sql`update stock.items set received = received + ${orders}, sold = sold + ${orders} where sku = 'MUG-BLUE'`
  await sql.unsafe('drop table story, entries, customers')
  await sql.unsafe('vacuum (analyze)')
  await sql.unsafe('checkpoint')
}

async function fillBatch(
  sql: postgres.Sql,
  { from, to, orders }: { from: number; to: number; orders: number },
) {
  const data = story.map(({ data }, nth) => `when ${nth} then ${data}`).join(' ')
  await sql.unsafe(`
    begin;
    create temporary table made on commit drop as
    select uuidv7(at - now()) as id, uuidv7(at - now()) as payment, customers.id as customer, at,
      jsonb_build_object('amount', price_amount, 'currency', currency) as total, price_amount as amount, currency,
      jsonb_build_array(jsonb_build_object('sku', sku, 'quantity', 1)) as lines,
      jsonb_build_array(jsonb_build_object('sku', sku, 'name', name, 'quantity', 1, 'unitPrice', price_amount)) as priced
    from (
      select now() - interval '1 hour' - (interval '${span}') * (1 - n / ${orders}::float) as at,
        floor(random() * (select count(*) from customers))::int as customer
      from generate_series(${from}, ${to - 1}) as n
    ) as times
    join customers on nth = times.customer
    join orders.products on sku = 'MUG-BLUE';

    insert into orders.orders (id, customer_id, status, lines, total_amount, pieces, currency, delivery_address, version,
      entries, placed_at, updated_at)
    select id, customer, 'completed', priced, amount, 1, currency, jsonb_build_object('name', 'Ada', 'street',
      'Werkstraße 1', 'postalCode', '10115', 'city', 'Berlin', 'country', 'DE'), 5, ${entries.length}, at, at
    from made;

    insert into orders.timeline (order_id, seq, type, status, at, actor)
    select id, seq, type, status, at + after, case seq when 1 then 'customer:' || customer else 'system' end
    from made cross join entries order by id, seq;

    insert into orders.idempotency_keys (caller, key, hash, status, headers, body, at)
    select customer, gen_random_uuid(), md5(id::text), 201, '{"content-type": "application/json"}', repeat('x', 450), at
    from made where at > now() - interval '23 hours';

    insert into stock.reservations (order_id, state, lines, at) select id, 'committed', lines, at from made;

    insert into payments.payments (id, order_id, customer_id, status, amount, currency, captured, provider_id, version,
      created_at, updated_at)
    select payment, id, customer, 'captured', amount, currency, amount, 'pay_' || md5(id::text), 4, at, at from made;

    with filled as (
      insert into events.outbox (id, type, source, subject, data, actor, time, due, awaits, publishes, published_at,
        stream_seq, settled_at)
      select uuidv7(emitted - now()), type, '/' || (case split_part(type, '.', 1) when 'order' then 'orders'
          when 'payment' then 'payments' else 'stock' end), id::text, case nth ${data} end,
        case nth when 0 then 'customer:' || customer else 'system' end, emitted, due,
        case when due < now() then awaits else '{}' end, (due < now())::int, case when due < now() then due end,
        case when due < now() then 1 end, case when due < now() then due + interval '1 s' end
      from made cross join story, lateral (select at + after as emitted, at + after + coalesce(due_after, '0') as due)
      order by id, nth
      returning id, awaits, settled_at
    )
    insert into events.inbox (event_id, reaction, at)
    select id, unnest(awaits), settled_at from filled where settled_at is not null;
    commit`)
}
