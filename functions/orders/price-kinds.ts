/** Whether prices include tax. */
export const priceKinds = ['gross', 'net'] as const
export type PriceKind = (typeof priceKinds)[number]
