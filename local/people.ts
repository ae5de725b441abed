import type { Role } from '../functions/shared/domain.ts'

/** The password of the demo users. Only for a shop that nobody else can reach, as on a laptop. */
export const demoPassword = 'workshop-demo'

/** The demo users, one of each role. */
export const people: { email: string; name: string; role: Role }[] = (
  ['customer', 'seller', 'staff', 'admin'] as const
).map((role) => ({
  email: `${role}@example.com`,
  name: role.charAt(0).toUpperCase() + role.slice(1),
  role,
}))
