import { factorAt } from '../../local/scenarios.ts'

/** The two loads that docs/capacity.md is about: orders a day, and orders a second at the peak. */
export const perDay = 1_000_000
export const perSecond = 1_000

/** How the rate of orders changes over a time. */
export interface Course {
  seconds: number
  /** A line through points: share of the time, multiple of the rate. */
  points: readonly (readonly [share: number, factor: number])[]
}

/** The hours of a day in which hardly anybody orders. */
export const night = [2, 5] as const

/** A day from midnight to midnight. Most people order in the evening. */
export const day: Course = {
  seconds: 24 * 60 * 60,
  points: (
    [
      [0, 0.3],
      [night[0], 0.02],
      [night[1], 0.02],
      [9, 1],
      [12, 1.4],
      [16, 1.2],
      [20, 2.2],
      [22, 1.6],
      [24, 0.3],
    ] as const
  ).map(([hour, factor]) => [hour / 24, factor]),
}

/** An hour at full rate, after ten minutes in which it rises. */
export const peak: Course = {
  seconds: 70 * 60,
  points: [
    [0, 0.05],
    [1 / 7, 1],
    [1, 1],
  ],
}

/** Returns the mean of a course's factor. */
export const meanOf = ({ points }: Pick<Course, 'points'>): number =>
  points.reduce((sum, [at, factor], n) => {
    const [before, was] = points[n - 1] ?? [at, factor]
    return sum + ((at - before) * (factor + was)) / 2
  }, 0)

/** Returns the rate at each second of a course that brings so many orders in all. */
export const rateOf = (course: Course, orders: number) => {
  const mean = orders / course.seconds
  const scale = mean / meanOf(course)
  return (second: number) => scale * factorAt(course, second / course.seconds)
}

/**
 * Returns how many independent calls arrive where `mean` are expected.
 * @param random returns uniform numbers in [0, 1)
 */
export function poisson(mean: number, random: () => number): number {
  if (mean > 30) {
    // close enough to a normal distribution (Box and Muller, 1958)
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
  }
  const least = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > least; product *= random()) count++
  return count
}
