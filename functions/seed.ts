import type { Role } from './functions.ts'
import { openProducts } from './products/store.ts'
import { seedProducts } from './products/seed.ts'
import { openPostgres } from './shared/postgres.ts'
import { seedStock } from './stock/seed.ts'
import { findUserByEmail } from './users/find-user.ts'
import { seedUsers } from './users/seed.ts'

/** One of each role. */
export const people: { email: string; name: string; role: Role }[] = (
  ['customer', 'seller', 'staff', 'admin'] as const
).map((role) => ({
  email: `${role}@example.com`,
  name: role.charAt(0).toUpperCase() + role.slice(1),
  role,
}))

/**
 * Puts a small catalogue and one user of each role into an empty shop; what is there is left alone.
 * @param password of the users
 */
export async function seed(
  urls: { users: string; stock: string; products: string },
  password: string,
): Promise<void> {
  const users = openPostgres(urls.users, { name: 'seed', max: 1 })
  const stock = openPostgres(urls.stock, { name: 'seed', max: 1 })
  const store = await openProducts(urls.products)
  try {
    await seedUsers(
      users,
      people.map((person) => ({ ...person, password })),
    )
    const seller = await findUserByEmail(users, people.find(({ role }) => role === 'seller')!.email)
    // someone took the seller's address away: then the shop has been lived in
    if (seller === undefined) return
    await seedStock(stock, await seedProducts(store.products, seller.id))
  } finally {
    await Promise.all([users.client.end(), stock.client.end(), store.close()])
  }
}
