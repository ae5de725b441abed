/**
 * Returns a quantile by the nearest-rank method: the smallest value that a share `q` (0 to 1) of the values
 * do not exceed. Returns undefined if there are no values.
 */
export function quantile(values: readonly number[], q: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)]
}
