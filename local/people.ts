import type { Role } from '../functions/functions.ts'

/** The password of the seeded people: for a laptop only, where nobody else can reach the shop. */
export const demoPassword = 'workshop-demo'

/** One of each role. */
export const people: { email: string; password: string; name: string; role: Role }[] = (
  ['customer', 'seller', 'staff', 'admin'] as const
).map((role) => ({
  email: `${role}@example.com`,
  password: demoPassword,
  name: role.charAt(0).toUpperCase() + role.slice(1),
  role,
}))
