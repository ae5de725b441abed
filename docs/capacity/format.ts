/** How docs/capacity.md writes numbers. */

export const count = (value: number) => value.toLocaleString('en')

/** Writes a number with three digits at most. */
export const figure = (value: number) =>
  Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 })

/** Writes a share of 1. */
export const percent = (share: number) =>
  share > 0 && share < 0.001 ? 'less than 0.1 %' : `${figure(Number((share * 100).toFixed(1)))} %`

/** Writes a size in the largest unit of which there is one. */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, size)) / 3)))
  return `${figure(size / 1000 ** power)} ${units[power]}`
}

/** Writes a number of days. */
export const span = (days: number) => (days < 2 ? `${figure(days * 24)} hours` : `${figure(days)} days`)
