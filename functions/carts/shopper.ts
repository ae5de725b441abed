import type { Context } from 'hono'
import { uuidv7 } from 'uuidv7'
import type { User } from '../shared/auth/access-token.ts'
import { guestOf, headersForGuest, withoutCookie, type GuestTokens } from './guest.ts'
import { mergeCarts, type Carts } from './store.ts'
import type { ReadAvailable } from './available.ts'

/** Whose cart a request is about. */
export interface Shopper {
  /** The id of the user or guest. A guest who comes for the first time has none. */
  id: string | undefined
  isGuest: boolean
  /** The headers of the answer, whatever it is about. */
  headers: Record<string, string>
}

interface Given {
  user: User | undefined
  hono: Context
}

interface Deps {
  carts: Carts
  guests: GuestTokens
  available: ReadAvailable
}

/**
 * Returns whose cart a request is about. The first request of a user who was a guest before merges the guest's cart
 * into the user's.
 */
export async function shopperOf({ user, hono }: Given, { carts, guests, available }: Deps): Promise<Shopper> {
  const guest = guestOf(hono, guests)
  if (user === undefined) return { id: guest?.id, isGuest: true, headers: {} }
  if (guest?.id !== undefined) await mergeCarts(carts, guest.id, user.id, available)
  return { id: user.id, isGuest: false, headers: guest?.hasCookie ? withoutCookie(hono) : {} }
}

/**
 * Returns the owner of a cart that is about to be written, and the headers with which a guest keeps it. A guest without
 * an id gets one.
 */
export function ownerOf(
  { id, isGuest, headers }: Shopper,
  hono: Context,
  guests: GuestTokens,
): { ownerId: string; headers: Record<string, string> } {
  const ownerId = id ?? uuidv7()
  return { ownerId, headers: isGuest ? headersForGuest(hono, guests, ownerId) : headers }
}
