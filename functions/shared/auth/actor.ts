import type { User } from './access-token.ts'

/**
 * Who did something: `system` if no person did, `anonymous` if nobody was logged in, and otherwise the user's role and
 * id, such as `staff:01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e`. Events carry it as the CloudEvents attribute `actor`.
 */
export type Actor = 'system' | 'anonymous' | `${User['role']}:${string}`

export const actorOf = (user: User | undefined): Actor =>
  user === undefined ? 'anonymous' : `${user.role}:${user.id}`

/** Whether a value is an actor. */
export const isActor = (value: unknown): value is Actor =>
  typeof value === 'string' &&
  /^(?:system|anonymous|(?:customer|seller|staff|admin):[\da-f-]{36})$/.test(value)
