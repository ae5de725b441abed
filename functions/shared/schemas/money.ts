import type { Money } from './schemas.ts'

/** Formats money for people, such as `6.90 EUR`, with as many decimals as the currency has (ISO 4217). */
export function formatMoney({ amount, currency }: Money): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return `${(amount / 10 ** digits).toFixed(digits)} ${currency}`
}
