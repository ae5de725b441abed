import type { Role } from '../functions/shared/domain.ts'

/** The password of the demo people: for a laptop only, where nobody else can reach the shop. */
export const demoPassword = 'workshop-demo'

/** The demo people: one of each role. */
export const people: { email: string; name: string; role: Role }[] = (
  ['customer', 'seller', 'staff', 'admin'] as const
).map((role) => ({
  email: `${role}@example.com`,
  name: role.charAt(0).toUpperCase() + role.slice(1),
  role,
}))
