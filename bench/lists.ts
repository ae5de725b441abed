import { shopClient, type Person } from '../demo/client/shop.ts'
import { emailOf, largeSizes, type Sizes } from '../demo/large/dataset.ts'
import { fillShop } from '../demo/large/fill.ts'
import { createProgress } from '../demo/large/progress.ts'
import type { FunctionName } from '../functions/table.ts'
import { openClient } from '../functions/shared/store/postgres-client.ts'
import { demoPassword } from '../local/people.ts'
import { call, median, startFunction, startShop } from './harness.ts'
import type { Result } from './result.ts'

const requests = 100
/** How much longer a list may take in a large shop. */
const most = 2

type Role = 'customer' | 'staff' | 'admin'

/** A list: its function, what is read, and who reads it. */
const lists: readonly (readonly [FunctionName, path: string, Role])[] = [
  ['list-orders', '/orders', 'customer'],
  ['list-orders', '/orders', 'staff'],
  ['list-orders', '/orders?status=completed&sort=oldest', 'staff'],
  ['list-payments', '/payments', 'customer'],
  ['list-payments', '/payments?status=captured', 'staff'],
  ['list-notifications', '/notifications?unread=true', 'customer'],
  ['list-users', '/users?sort=-createdAt', 'admin'],
  ['list-users', '/users?sort=name', 'admin'],
  ['list-users', '/users?q=example', 'admin'],
  ['list-customers', '/customers?sort=name', 'staff'],
  ['list-stock-history', '/stock/MUG-BLUE/history', 'staff'],
  ['list-products', '/products', 'customer'],
  ['list-products', '/products?sort=price', 'customer'],
  ['list-products', '/products?q=mug&facets=true', 'customer'],
]

/**
 * Measures the lists of a small shop, and again once it is large, in one run.
 * @param orders how many orders the large shop has; 50,000 at most
 */
export async function measureLists(orders: number): Promise<Result[]> {
  const count = Math.min(orders, largeSizes.orders)
  // a small shop that each list has something to show of
  const small: Sizes = { products: 20, users: 20, orders: 200, fresh: 0 }
  const large: Sizes = {
    products: Math.ceil(count / 5),
    users: Math.ceil(count / 50),
    orders: count,
    fresh: 0,
  }
  const { system, stop } = await startShop({ window: 600 })
  const sql = openClient(system.environment.admin, {
    setting: 'DATABASE_URL',
    silentMs: 600_000,
    max: 1,
    onnotice: () => {},
  })
  try {
    const shop = shopClient(system.url)
    const [seller, staff, admin] = (await Promise.all(
      ['seller', 'staff', 'admin'].map((role) =>
        shop.logIn({ email: `${role}@example.com`, password: demoPassword }),
      ),
    )) as [Person, Person, Person]
    const fill = (sizes: Sizes) =>
      fillShop({
        sql,
        url: system.url,
        seller,
        staff,
        sizes,
        password: demoPassword,
        progress: createProgress(process.stderr),
      })
    const measureAll = async (customer: Person) => {
      const people = { customer, staff, admin }
      const found: number[] = []
      for (const [name, path, role] of lists)
        found.push(await measure(system, name, path, await people[role].token()))
      return found
    }
    await fill(small)
    const before = await measureAll(await shop.logIn({ email: emailOf(0), password: demoPassword }))
    // the first customers have other ids in a shop of another size
    await clear(sql)
    await fill(large)
    const after = await measureAll(await shop.logIn({ email: emailOf(0), password: demoPassword }))
    return lists.map(([, path, role], i) => compare(`GET ${path} (${role})`, before[i]!, after[i]!))
  } finally {
    await sql.end({ timeout: 5 })
    await stop()
  }
}

/** Removes what the small shop was filled with; its products and their stock stay. */
async function clear(sql: ReturnType<typeof openClient>): Promise<void> {
  await sql.unsafe(`
    truncate orders.orders, orders.timeline, payments.payments, payments.refunds, stock.reservations, stock.movements,
      notifications.notifications, notifications.orders, customers.addresses cascade;
    delete from notifications.contacts where email like 'shopper-%';
    delete from customers.customers where id in (select id from users.users where email like 'shopper-%');
    delete from users.refresh_tokens; delete from users.sessions where user_id in
      (select id from users.users where email like 'shopper-%');
    delete from users.users where email like 'shopper-%'`)
}

/** Returns the median time of a list in ms, one request at a time, past the activator. */
async function measure(
  system: Parameters<typeof startFunction>[0],
  name: FunctionName,
  path: string,
  token: string,
): Promise<number> {
  const instance = startFunction(system, name)
  try {
    await instance.ready
    const url = `http://127.0.0.1:${instance.port}/api/v1${path}`
    const times: number[] = []
    for (let n = -10; n < requests; n++) {
      const began = performance.now()
      const { status, text } = await call(url, 'GET', { authorization: `Bearer ${token}` })
      if (status !== 200) throw new Error(`${url}: ${status} ${text}`)
      // the first ones open connections and warm up
      if (n >= 0) times.push(performance.now() - began)
    }
    return median(times)
  } finally {
    await instance.stop()
  }
}

const compare = (what: string, small: number, large: number): Result => ({
  what,
  ours: `${large.toFixed(2)} ms`,
  against: `${small.toFixed(2)} ms in a small shop`,
  ratio: `${(large / small).toFixed(2)} ×`,
  goal: `≤ ${most} ×`,
  met: large / small <= most,
})
