import { openProducts } from '../functions/products/store.ts'
import { seedProducts } from '../functions/products/seed.ts'
import { openPostgres } from '../functions/shared/postgres.ts'
import { seedStock } from '../functions/stock/seed.ts'
import { findUserByEmail } from '../functions/users/find-user.ts'
import { seedUsers } from '../functions/users/seed.ts'
import { people } from './people.ts'

/** Puts a small catalogue and one user of each role into an empty shop; what is there is left alone. */
export async function seed(urls: { users: string; stock: string; products: string }): Promise<void> {
  const users = openPostgres(urls.users, { name: 'seed', max: 1 })
  const stock = openPostgres(urls.stock, { name: 'seed', max: 1 })
  const store = await openProducts(urls.products)
  try {
    await seedUsers(users, people)
    const seller = await findUserByEmail(users, people.find(({ role }) => role === 'seller')!.email)
    // someone took the seller's address away: then the shop has been lived in
    if (seller === undefined) return
    await seedStock(stock, await seedProducts(store.products, seller.id))
  } finally {
    await Promise.all([users.client.end(), stock.client.end(), store.close()])
  }
}
