/** Numbers and times as people read them. */

/** Returns the time of the day, after the date unless it is today. */
export function clock(at: number): string {
  const date = new Date(at)
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  if (date.toDateString() === new Date().toDateString()) return time
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : age(ms / 1_000)
}

export function age(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/** Returns what became of a delivery. */
export function outcomeOf(status: number | undefined): { text: string; isGood: boolean } {
  if (status === 204) return { text: 'handled', isGood: true }
  if (status === 200) return { text: 'handled in part', isGood: false }
  if (status === 422) return { text: 'cannot be handled', isGood: false }
  if (status === undefined) return { text: 'no answer in time, will be tried again', isGood: false }
  return { text: `failed with ${status}, will be tried again`, isGood: false }
}
