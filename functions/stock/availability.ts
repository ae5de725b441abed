/** How well a SKU is available, and when that is announced. Everything here is pure, and loads nothing. */

export const availabilities = ['available', 'low', 'unavailable'] as const
export type Availability = (typeof availabilities)[number]

/** The threshold of SKUs that have none of their own, unless the setting LOW_STOCK_THRESHOLD says so. */
export const defaultThreshold = 5

/** Returns how well a SKU is available. It is low if no more than `threshold` are available. */
export function availabilityOf(available: number, threshold: number): Availability {
  if (available === 0) return 'unavailable'
  return available <= threshold ? 'low' : 'available'
}

export interface Crossing {
  availability: Availability
  /** Whether that differs from what was announced. */
  isChanged: boolean
  /** Whether it has fallen to the threshold. It does not fall again before it has risen above it. */
  isLow: boolean
}

/** Compares what is available with what was announced. */
export function crossing(announced: Availability, available: number, threshold: number): Crossing {
  const availability = availabilityOf(available, threshold)
  const isChanged = availability !== announced
  return { availability, isChanged, isLow: isChanged && announced === 'available' }
}
