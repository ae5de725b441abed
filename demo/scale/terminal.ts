import pc from 'picocolors'
import { quantile } from '../../functions/shared/quantile.ts'
import { isGood, type Sent } from './load.ts'
import { formatClock, formatMs, times } from './numbers.ts'
import { coursesOf, type Course, type Recording } from './recording.ts'
import type { ScalingClass } from './source.ts'

/** The state of the run, shown above the table. */
export interface Status {
  phase: string
  /** Seconds since the load began; negative before that. */
  elapsed: number
}

const blocks = '▁▂▃▄▅▆▇█'

/** The window for the current rate and latency, in ms. */
const RECENT_MS = 5000

const titles: Record<ScalingClass, string> = {
  kpa: 'scaled on concurrency',
  hpa: 'scaled on CPU',
  always: 'always there',
}

/**
 * Draws values as characters, at most `width` of them. If there are more values, each character is the
 * maximum of several.
 * @param top the value that fills a whole character
 */
export function sparkline(values: readonly number[], width: number, top: number): string {
  const columns = Math.min(width, values.length)
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns)
    const to = Math.floor(((column + 1) * values.length) / columns)
    // the last character must show the current value
    const most = column === columns - 1 ? values.at(-1)! : Math.max(...values.slice(from, to))
    return most <= 0 ? '·' : blocks[Math.min(blocks.length, Math.ceil((most / top) * blocks.length)) - 1]
  }).join('')
}

/** Returns a line about the state of the run. */
export function headline(recording: Recording, { phase, elapsed }: Status): string {
  const { load, title } = recording
  const recent = load.sent.filter(({ at, ms }) => at + ms > elapsed * 1000 - RECENT_MS)
  const rate = recent.length / Math.max(1, Math.min(RECENT_MS / 1000, elapsed))
  const failed = load.sent.filter((sent) => !isGood(sent)).length
  const flying = [...load.inFlight.values()].reduce((sum, n) => sum + n, 0)
  const clock = elapsed < 0 ? '' : `${formatClock(elapsed)}  `
  return [
    `${pc.bold(title)}  ${clock}${phase}`,
    `${rate.toFixed(0)} responses/s`,
    `p99 ${formatMs(quantile(times(recent), 0.99))}`,
    `${flying} in flight`,
    `${load.sent.length} sent`,
    failed > 0 ? pc.red(`${failed} failed`) : '0 failed',
    ...(load.unsent.length > 0 ? [pc.yellow(`${load.unsent.length} not sent`)] : []),
  ].join(pc.dim(' · '))
}

/** Returns the headline and a line for each part, cut to the size of the terminal. */
export function screen(
  recording: Recording,
  status: Status,
  { columns, rows }: { columns: number; rows: number },
): string[] {
  const courses = coursesOf(recording.samples)
  const byName = Map.groupBy(recording.load.sent, ({ name }) => name)
  const width = Math.max(10, columns - 82)
  const top = Math.max(3, ...courses.flatMap(({ class: kind, ready }) => (kind === 'always' ? [] : ready)))
  const header = `${''.padEnd(22)}${'ready pods'.padEnd(width + 2)}${columnsOf('ready/desired', 'in flight', 'p50', 'p99', 'cold start')}`
  const lines = [headline(recording, status), '', pc.dim(header)]
  let group: ScalingClass | undefined
  for (const course of courses) {
    if (course.class !== group) lines.push(pc.dim((group = course.class) && titles[course.class]))
    lines.push(lineOf(course, byName.get(course.name) ?? [], recording, { width, top }))
  }
  if (lines.length <= rows) return lines
  return [...lines.slice(0, rows - 1), pc.dim(`… and ${lines.length - rows + 1} more lines`)]
}

function lineOf(
  { name, ready, desired, last, concurrency }: Course,
  sent: Sent[],
  { load, coldStarts }: Recording,
  { width, top }: { width: number; top: number },
): string {
  const starts = coldStarts.filter((start) => start.name === name && start.fromZero)
  const flying = concurrency.at(-1) ?? load.inFlight.get(name)
  const pods = `${ready.at(-1)}/${desired.at(-1)}${last.panic ? '!' : ''}`
  const cpu = last.cpu === undefined ? undefined : `${last.cpu.now} % CPU`
  const numbers = columnsOf(
    pods,
    cpu ?? (flying === undefined ? '' : String(flying)),
    sent.length === 0 ? '' : formatMs(quantile(times(sent), 0.5)),
    sent.length === 0 ? '' : formatMs(quantile(times(sent), 0.99)),
    starts.length === 0 ? '' : formatMs(starts.at(-1)!.ms),
  )
  const line = sparkline(ready, width, top).padEnd(width + 2)
  const colour = ready.at(-1)! > 0 ? pc.green : pc.dim
  return `  ${name.padEnd(20)}${colour(line)}${ready.at(-1)! < desired.at(-1)! ? pc.yellow(numbers) : numbers}`
}

const columnsOf = (pods: string, flying: string, p50: string, p99: string, cold: string) =>
  `${pods.padStart(13)}${flying.padStart(11)}${p50.padStart(9)}${p99.padStart(9)}${cold.padStart(12)}`

/** Returns a short summary for output that is not a terminal, without parts that do not run. */
export function summary(recording: Recording, status: Status): string {
  const running = coursesOf(recording.samples)
    .filter(({ ready, desired, class: kind }) => kind !== 'always' && ready.at(-1)! + desired.at(-1)! > 0)
    .map(({ name, ready, desired }) => `${name} ${ready.at(-1)}/${desired.at(-1)}`)
  return `${headline(recording, status)}\n  ${running.length === 0 ? 'nothing runs' : running.join(', ')}`
}

/** Draws in place if the output is a terminal. Otherwise it prints a summary every few seconds. */
export function createDisplay(out: NodeJS.WriteStream, everyMs = 5000) {
  let drawn = 0
  let told = -Infinity
  const draw = (recording: Recording, status: Status) => {
    if (out.isTTY) {
      const lines = screen(recording, status, { columns: out.columns, rows: out.rows - 1 })
      // moves to the first line, rewrites each line, and clears what is below
      const up = drawn > 1 ? `\x1b[${drawn - 1}A` : ''
      out.write(`${up}\r${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`)
      drawn = lines.length
    } else if (performance.now() - told >= everyMs) {
      told = performance.now()
      out.write(`${summary(recording, status)}\n`)
    }
  }
  return {
    draw,
    /** Prints the whole table, which stays. */
    end(recording: Recording, status: Status) {
      if (out.isTTY) draw(recording, status)
      else out.write(`\n${screen(recording, status, { columns: 120, rows: Infinity }).join('\n')}`)
      out.write('\n')
      drawn = 0
    },
  }
}
