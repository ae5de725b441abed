/** What becomes of an order of which only a part is there: it is cancelled, loses the rest, or waits for a decision. */
export const onShortages = ['cancel', 'partial', 'ask'] as const
export type OnShortage = (typeof onShortages)[number]
