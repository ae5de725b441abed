import type { OnShortage } from '../shared/schemas/on-shortage.ts'

/**
 * Orders of which a part is missing. Everything here is pure, and loads nothing.
 *
 *   stock.partly-reserved ─► partial ──────────────────► dropped ─► paid as usual
 *                        └─► ask ─► undecided ─ part ───────▲
 *                                       ├────── wait ─► backordered ─► stock.reserved ─► paid as usual
 *                                       └────── cancel, or a day passes ─► cancelled
 */

export const shortageStates = ['undecided', 'backordered', 'dropped'] as const

export const decisions = ['part', 'wait', 'cancel'] as const
export type Decision = (typeof decisions)[number]

export interface Missing {
  sku: string
  quantity: number
}

export interface Shortage {
  state: (typeof shortageStates)[number]
  missing: Missing[]
  /** Until when the order may stay unconfirmed. */
  until: string
}

/** How long a customer has to decide, in ms. */
export const decideWithinMs = 24 * 60 * 60 * 1000

/** How long an order waits for what is missing, in ms. */
export const fillWithinMs = 30 * 24 * 60 * 60 * 1000

/** Returns what is missing, of each SKU that the stock has too little of. */
export const missingOf = (
  shortages: readonly { sku: string; requested: number; available: number }[],
): Missing[] => shortages.map(({ sku, requested, available }) => ({ sku, quantity: requested - available }))

/** Names pieces as the timeline and notifications do, such as `2 × MUG-BLUE, 1 × PEN`. */
export const piecesText = (pieces: readonly Missing[]): string =>
  pieces.map(({ sku, quantity }) => `${quantity} × ${sku}`).join(', ')

/** Whether a decision about an order has been taken already. */
export const isDecided = (
  { onShortage, shortage, status }: { onShortage: OnShortage; shortage: Shortage | null; status: string },
  decision: Decision,
): boolean => {
  if (onShortage !== 'ask' || shortage === null) return false
  const { state } = shortage
  if (decision === 'cancel') return state === 'undecided' && status === 'cancelled'
  return state === (decision === 'part' ? 'dropped' : 'backordered')
}
