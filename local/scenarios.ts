/** The courses of loads, and when their requests are due. Pure. */

export interface Scenario {
  title: string
  about: string
  /** The default duration. */
  seconds: number
  /** A line through points: share of the time, multiple of the usual rate. Two equal times are a jump. */
  points: readonly (readonly [share: number, factor: number])[]
}

const flat = [
  [0, 1],
  [1, 1],
] as const

export const scenarios = {
  usual: { title: 'A usual day', about: 'people look around, and some order', seconds: 60, points: flat },
  'black-friday': {
    title: 'Black Friday',
    about: 'ten times the usual load: it rises, holds and ends',
    seconds: 90,
    points: [
      [0, 1],
      [0.15, 1],
      [0.3, 10],
      [0.8, 10],
      [0.95, 1],
      [1, 1],
    ],
  },
  spike: {
    title: 'A spike',
    about: 'twenty times the usual load at once, on a shop where nothing runs',
    seconds: 30,
    points: [
      [0, 20],
      [0.4, 20],
      [0.4, 1],
      [1, 1],
    ],
  },
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

/** The multiple of the usual rate at a share (0 to 1) of a scenario's time. */
export function factorAt({ points }: Pick<Scenario, 'points'>, share: number): number {
  const after = points.findIndex(([at]) => at > share)
  const [from, to] = [points.at(after === -1 ? -1 : after - 1)!, points.at(after)!]
  const length = to[0] - from[0]
  return length <= 0 ? to[1] : from[1] + ((to[1] - from[1]) * (share - from[0])) / length
}

export const peakOf = ({ points }: Pick<Scenario, 'points'>) =>
  Math.max(...points.map(([, factor]) => factor))

/**
 * Returns when requests are due, in ms from the start. They are a Poisson process, as of people who act
 * independently, whose rate follows the scenario (by thinning: Lewis and Shedler, 1979).
 * @param rate requests per second at the usual load
 * @param random returns uniform numbers in [0, 1)
 */
export function arrivals(
  scenario: Pick<Scenario, 'points'>,
  rate: number,
  seconds: number,
  random: () => number = Math.random,
): number[] {
  const peak = peakOf(scenario)
  const due: number[] = []
  for (let at = gap(); at < seconds; at += gap())
    if (random() * peak < factorAt(scenario, at / seconds)) due.push(at * 1000)
  return due

  function gap() {
    return -Math.log(1 - random()) / (rate * peak)
  }
}
