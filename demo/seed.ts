import type { ProductDocument } from '../functions/products/product.ts'
import { demoState, openMongodb, writeDemoState } from '../functions/shared/store/mongodb.ts'
import { people } from '../local/people.ts'
import { seedProducts } from './seed-products.ts'
import { openPostgres } from '../functions/shared/store/postgres.ts'
import { seedStock } from './seed-stock.ts'
import { findUserByEmail } from '../functions/users/find-user.ts'
import { seedUsers } from './seed-users.ts'

/**
 * Adds a small catalogue and one user of each role to an empty shop. It does so only once, so that deleted
 * users do not come back. If it was interrupted, it resumes.
 * @param urls the URLs of the domains' stores, by domain
 * @param password the password of the users
 */
export async function seed(urls: Record<string, string>, password: string): Promise<void> {
  const users = openPostgres(urls['users']!, { name: 'seed', max: 1 })
  const stock = openPostgres(urls['stock']!, { name: 'seed', max: 1 })
  // nobody waits for it, so a slow server may take its time
  const store = openMongodb(urls['products']!, { name: 'seed', silentMs: 60_000 })
  const products = store.db.collection<ProductDocument>('products')
  try {
    const state = await demoState(store.db, 'products')
    if (state === 'done') return
    if (state === undefined) {
      const [someone] = await users.client`select 1 from users.users limit 1`
      if (someone !== undefined) return
      await writeDemoState(store.db, 'products', 'begun')
    }
    await seedUsers(
      users,
      people.map((person) => ({ ...person, password })),
    )
    const seller = await findUserByEmail(users, people.find(({ role }) => role === 'seller')!.email)
    if (seller !== undefined) await seedStock(stock, await seedProducts(products, seller.id))
    await writeDemoState(store.db, 'products', 'done')
  } finally {
    await Promise.all([users.client.end(), stock.client.end(), store.close()])
  }
}
