/**
 * `npm run bench [name…]`: measures speed and memory, if possible as ratios to a baseline in the same run.
 * Absolute figures vary with the machine and the time of day. The ratios hardly vary.
 */
import pc from 'picocolors'
import { run } from '../functions/shared/process/run.ts'
import { UserError } from '../functions/shared/process/user-error.ts'
import { backlog } from './backlog.ts'
import { bigTables, millionOrders } from './big-tables.ts'
import { checkout } from './checkout.ts'
import { clusterChanges } from './cluster-changes.ts'
import { clusterCold, clusterSaga } from './cluster-cold.ts'
import { coldStart } from './cold-start.ts'
import { createOrder } from './create-order.ts'
import { getCart } from './get-cart.ts'
import { getOrder } from './get-order.ts'
import { getProduct } from './get-product.ts'
import { deliveries } from './deliveries.ts'
import { ordersToConfirmed } from './orders.ts'
import { measureLists } from './lists.ts'
import { peers } from './peers.ts'
import { startShop } from './harness.ts'
import { stockUp } from './shop.ts'
import type { Result } from './result.ts'
import { saga } from './saga.ts'
import { search } from './search.ts'
import { startUp } from './start-up.ts'
import { telemetry } from './telemetry.ts'
import { transfers } from './transfers.ts'
import { readArguments } from '../local/commands/arguments.ts'
import type { System } from '../local/system.ts'

const inShop: Record<string, (system: System) => Promise<Result[]>> = {
  'cold-start': coldStart,
  'get-order': getOrder,
  'get-product': getProduct,
  'get-cart': getCart,
  telemetry,
  saga,
  checkout,
  orders: ordersToConfirmed,
  deliveries,
  backlog,
  search,
  // last, because its orders keep the shop busy for a while
  'create-order': createOrder,
}

/**
 * They run only if named, and are given how many orders fill a large shop, or how many lines are moved. Those of
 * the cluster measure the shop in the one that KUBECONFIG names (npm run deploy).
 */
const onlyIfNamed: Record<string, (orders: number) => Promise<Result[]>> = {
  'cluster-cold': clusterCold,
  'cluster-saga': clusterSaga,
  'cluster-changes': clusterChanges,
  'big-tables': bigTables,
  lists: measureLists,
  transfers,
  peers,
}

const known = ['start-up', ...Object.keys(inShop), ...Object.keys(onlyIfNamed)]

const usage = `npm run bench [-- NAME …] [--orders N]
Measures speed and size side by side.
  NAME …   only these: ${known.join(', ')}
  --orders with how many orders big-tables fills the tables (default: ${millionOrders}), lists at most 50000;
           how many lines transfers moves, at most 100000
Only by their names run
  cluster-cold, cluster-saga, cluster-changes, which need a shop in a cluster (npm run deploy);
  big-tables, which takes a quarter of an hour and 15 GB of disk;
  lists, which fills a shop as npm run seed -- --large does, for some minutes;
  transfers, which imports and exports 100,000 products, for some minutes;
  peers, which installs Vendure and Medusa in a cache folder or in PEERS_DIR (docs/benchmarks.md)`

await run(async () => {
  const { positionals: wanted, values } = readArguments(usage, {
    allowPositionals: true,
    options: { orders: { type: 'string', default: String(millionOrders) } },
  })
  const orders = Number(values.orders)
  if (!(Number.isSafeInteger(orders) && orders > 0))
    throw new UserError(`--orders is a whole number above 0, such as 10000, and not ${values.orders}.`)
  const unknown = wanted.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UserError(`There is no benchmark ${unknown}. Choose from ${known.join(', ')}.`)
  const chosen = (name: string) => (wanted.length === 0 && !(name in onlyIfNamed)) || wanted.includes(name)

  const results: Result[] = []
  if (chosen('start-up')) results.push(...(await startUp()))
  results.push(...(await measureShop(Object.keys(inShop).filter(chosen))))
  for (const name of Object.keys(onlyIfNamed).filter(chosen))
    results.push(...(await onlyIfNamed[name]!(orders)))
  print(results)
})

/** Runs benchmarks one after the other in one shop. */
async function measureShop(names: string[]): Promise<Result[]> {
  if (names.length === 0) return []
  const results: Result[] = []
  const { system, stop } = await startShop()
  try {
    await stockUp(system.url)
    for (const name of names) {
      console.error(pc.dim(`${name} …`))
      results.push(...(await inShop[name]!(system)))
    }
  } finally {
    await stop()
  }
  return results
}

function print(rows: Result[]) {
  const head = { what: 'what', ours: 'ours', against: 'against', ratio: 'ratio', goal: 'goal' }
  const columns = ['what', 'ours', 'against', 'ratio', 'goal'] as const
  const widths = columns.map((c) => Math.max(...[head, ...rows].map((row) => row[c].length)))
  const line = (row: Record<(typeof columns)[number], string>) =>
    columns.map((c, i) => row[c].padEnd(widths[i]!)).join('  ')
  console.log(line(head))
  for (const row of rows) console.log(`${line(row)}  ${row.met ? pc.green('met') : pc.yellow('missed')}`)
}
