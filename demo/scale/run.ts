import { runLoad, type Load } from './load.ts'
import type { Options } from './options.ts'
import type { Recording } from './recording.ts'
import { arrivals, peakOf, scenarios, type Scenario } from '../../local/scenarios.ts'
import { atRest, type ScaleSource } from './source.ts'
import type { Status } from './terminal.ts'
import type { Visitors } from './visitors.ts'
import { wait } from './wait.ts'

/** How long starting and stopping may take in addition to the autoscaler's window, in ms. */
const SLACK_MS = 60_000
/** How much of the time before and after the load is shown, in ms. */
const QUIET_MS = 2000

export interface Surroundings {
  source: ScaleSource
  visitors: Visitors
  draw: (recording: Recording, status: Status) => void
  /** Ends the run early and keeps what was recorded. */
  signal: AbortSignal
}

/** Waits until nothing runs, sends the load, and waits until nothing runs again. It samples all the time. */
export async function run(options: Options, around: Surroundings): Promise<Recording> {
  const { source, visitors, draw, signal } = around
  const scenario: Scenario = scenarios[options.scenario]
  const load: Load = { sent: [], unsent: [], inFlight: new Map() }
  const recording: Recording = {
    title: scenario.title,
    about: scenario.about,
    label: source.label,
    note: source.note,
    url: options.url,
    rate: options.rate,
    seconds: options.seconds,
    began: Number.POSITIVE_INFINITY,
    load,
    samples: [],
    coldStarts: [],
    outcome: undefined,
    remarks: [],
  }
  let phase = ''
  const over = new AbortController()
  const watching = watch()
  const patience = source.windowSeconds * 2000 + SLACK_MS

  if (!options.now) {
    phase = 'waiting until nothing runs'
    if (!(await rest(patience)) && !signal.aborted)
      recording.remarks.push('Some functions were already running when the load began.')
    await wait(QUIET_MS, signal)
  }
  const peak = Math.round(options.rate * peakOf(scenario))
  phase = `of ${options.seconds} s, up to ${peak} requests/s`
  recording.began = Date.now()
  const due = arrivals(scenario, options.rate, options.seconds)
  if (!signal.aborted) await runLoad(due, visitors.next, { limit: options.limit, load, signal })
  phase = 'the load has ended, waiting until nothing runs'
  if (!(await rest(patience)))
    recording.remarks.push(
      signal.aborted
        ? 'The run was ended early.'
        : `Not everything was at zero ${Math.round(patience / 1000)} s after the load.`,
    )
  await wait(QUIET_MS, signal)
  over.abort()
  await watching
  recording.samples = recording.samples.filter(
    ({ at }) => at >= recording.began - (options.now ? 0 : QUIET_MS),
  )
  recording.coldStarts = recording.coldStarts.filter(({ at }) => at >= recording.began)
  return recording

  async function watch() {
    while (!over.signal.aborted) {
      const next = performance.now() + source.everyMs
      try {
        recording.samples.push(await source.sample())
        recording.coldStarts = source.coldStarts().filter(({ at }) => at >= recording.began)
      } catch (error) {
        const why = `The autoscaler could not be reached: ${error instanceof Error ? error.message : String(error)}`
        if (!recording.remarks.includes(why) && !signal.aborted) recording.remarks.push(why)
      }
      draw(recording, { phase, elapsed: (Date.now() - recording.began) / 1000 })
      const left = next - performance.now()
      if (left > 0) await wait(left, over.signal)
    }
  }

  /** Returns whether everything came to rest in time. */
  async function rest(withinMs: number): Promise<boolean> {
    const end = performance.now() + withinMs
    const after = Date.now()
    for (;;) {
      const last = recording.samples.at(-1)
      if (last !== undefined && last.at > after && atRest(last)) return true
      if (performance.now() > end || signal.aborted) return false
      await wait(source.everyMs / 2, signal)
    }
  }
}
