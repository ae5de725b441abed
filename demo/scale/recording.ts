import type { Load } from './load.ts'
import type { ColdStart, Part, Sample } from './source.ts'
import type { Outcome } from './visitors.ts'

/** The record of a run, which the terminal and the page show. */
export interface Recording {
  title: string
  about: string
  /** What was watched. */
  label: string
  note: string | undefined
  url: string
  /** Requests per second at the usual load. */
  rate: number
  /** The planned duration of the load. */
  seconds: number
  /** When the load began, in ms since 1970. */
  began: number
  load: Load
  samples: Sample[]
  coldStarts: ColdStart[]
  outcome: Outcome | undefined
  /** Deviations from the plan, in sentences. */
  remarks: string[]
}

/** The samples of a part. Before a part appears, it has no pods. */
export interface Course {
  name: string
  class: Part['class']
  /** One value for each sample. */
  ready: number[]
  desired: number[]
  starting: number[]
  concurrency: (number | undefined)[]
  /** In per cent of the CPU request. */
  cpu: (number | undefined)[]
  last: Part
}

const ranks: Record<Part['class'], number> = { kpa: 0, hpa: 1, always: 2 }

/** The course of every part that ever ran, in the order in which they first ran. */
export function coursesOf(samples: readonly Sample[]): Course[] {
  const courses = new Map<string, Course>()
  for (const [n, { parts }] of samples.entries())
    for (const part of parts) {
      const course = courses.get(part.name) ?? blank(part, samples.length)
      courses.set(part.name, course)
      course.ready[n] = part.ready
      course.desired[n] = part.desired
      course.starting[n] = part.starting
      course.concurrency[n] = part.concurrency
      course.cpu[n] = part.cpu?.now
      course.last = part
    }
  const woke = (course: Course) => course.desired.findIndex((desired, n) => desired + course.ready[n]! > 0)
  return [...courses.values()]
    .filter((course) => woke(course) !== -1)
    .sort((a, b) => ranks[a.class] - ranks[b.class] || woke(a) - woke(b))
}

const blank = (part: Part, length: number): Course => ({
  name: part.name,
  class: part.class,
  ready: Array.from({ length }, () => 0),
  desired: Array.from({ length }, () => 0),
  starting: Array.from({ length }, () => 0),
  concurrency: Array.from({ length }),
  cpu: Array.from({ length }),
  last: part,
})
