/**
 * Divides an amount in proportion to the weights, in whole units, so that the parts add up to it: each part is rounded
 * down, and what is left goes to those with the largest remainders, the earlier ones first.
 * @param amount at most the sum of the weights, so that no part is larger than its weight
 * @param weights not negative
 */
export function apportion(amount: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (sum === 0) return weights.map(() => 0)
  const shares = weights.map((weight, i) => {
    // beyond 2^53 for the largest orders
    const product = BigInt(amount) * BigInt(weight)
    return { i, part: Number(product / BigInt(sum)), remainder: Number(product % BigInt(sum)) }
  })
  const parts = shares.map(({ part }) => part)
  const left = amount - parts.reduce((total, part) => total + part, 0)
  for (const { i } of shares.toSorted((a, b) => b.remainder - a.remainder || a.i - b.i).slice(0, left))
    parts[i]!++
  return parts
}
