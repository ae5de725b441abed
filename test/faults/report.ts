import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from './checker.ts'

/** The result of one fault. */
export interface Outcome {
  name: string
  title: string
  seed: number
  /** The day, as `2026-01-31`. */
  on: string
  injected: number
  orders: number
  seconds: number
  said: string[]
  findings: Finding[]
  error?: string
}

/** The result of checking a deliberately broken build. */
export interface Check {
  name: string
  breaks: string
  caught: boolean
  /** The invariants that were violated. */
  found: string[]
}

export const stood = ({ error, findings }: Outcome) =>
  error === undefined && findings.every(({ violations }) => violations.length === 0)

const folder = join(import.meta.dirname, '../../.data/faults/outcomes')

/** Saves an outcome for the report, which shows the last one of each fault and of each broken build. */
export function keep(outcome: Outcome | Check) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${outcome.name.replaceAll(' ', '-')}.json`), JSON.stringify(outcome))
}

function kept(): { outcomes: Outcome[]; checks: Check[] } {
  const all = readdirSync(folder).map(
    // written by `keep`
    (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Outcome | Check,
  )
  return {
    outcomes: all.filter((one) => 'seed' in one),
    checks: all.filter((one) => 'breaks' in one).toSorted((a, b) => a.breaks.localeCompare(b.breaks)),
  }
}

/** Which faults failed, in the format of vitest's JSON reporter. All mutations count as one. */
export function jsonReport(outcomes: Outcome[], checks: Check[]): string {
  const result = (name: string, problems: string[]) => ({
    name,
    status: problems.length === 0 ? 'passed' : 'failed',
    message: problems.join('\n'),
    assertionResults: [],
  })
  const testResults = outcomes.map((outcome) => {
    const { name, seed, error, findings } = outcome
    const violations = findings.flatMap(({ violations }) => violations.slice(0, 10))
    const problems = [...(error === undefined ? [] : [error]), ...violations]
    return result(name, problems.length === 0 ? [] : [...problems, `(--seed ${seed})`])
  })
  const missed = checks.filter(({ caught }) => !caught).map(({ name }) => `not caught: ${name}`)
  if (checks.length > 0) testResults.push(result('mutations', missed))
  return JSON.stringify({ testResults })
}

/** Returns docs/reliability.md: the last outcome of each fault and of each broken build. */
export function report(): string {
  const { outcomes, checks } = kept()
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const total = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, one) => sum + of(one), 0).toLocaleString('en')
  const invariants = Object.entries(
    Object.groupBy(
      outcomes.flatMap(({ findings }) => findings),
      ({ name }) => name,
    ),
  )
  return `<!-- Written by npm run test:faults -- --report. -->

# Nothing lost, nothing twice

\`npm run test:faults\` injects faults into a whole shop: a process for each function on real PostgreSQL, NATS and a MongoDB-compatible store. Meanwhile, simulated people order, cancel, ship, refund, register and leave. After each fault it reads all stores and the payment provider's journal, compares them with the responses that the people got, and checks the invariants. \`--seed\` repeats a run, \`--hours\` runs again with new seeds, and \`-- --help\` prints all options.

${total(({ injected }) => injected)} faults, ${total(({ orders }) => orders)} orders, invariants checked ${total(({ findings }) => findings.length)} times, ${outcomes.filter((one) => !stood(one)).length} failures.

${row(['fault', 'what is done', 'on', 'faults', 'orders', 'seed', 'seconds', ''])}
${row(['---', '---', '---', '---:', '---:', '---:', '---:', '---'])}
${outcomes
  .map((one) =>
    row([
      `\`${one.name}\``,
      one.title,
      one.on,
      one.injected,
      one.orders,
      one.seed,
      one.seconds.toFixed(0),
      stood(one) ? 'stood' : `**fell**: ${one.error ?? ''}`,
    ]),
  )
  .join('\n')}

What each fault reported:

${outcomes
  .filter(({ said }) => said.length > 0)
  .map(({ name, said }) => `- \`${name}\`: ${said.join('; ')}`)
  .join('\n')}

## The invariants

${row(['', 'what must hold', 'checked', 'most of it at once', 'violations'])}
${row(['---', '---', '---:', '---', '---:'])}
${invariants
  .map(([name, found]) => {
    const findings = found ?? []
    const most = findings.reduce((a, b) => (size(b) > size(a) ? b : a))
    const violations = findings.reduce((sum, one) => sum + one.violations.length, 0)
    return row([name, most.what, `${findings.length} ×`, most.figures, violations])
  })
  .join('\n')}

## The checker can fail

For each invariant there is a deliberately broken build, which the checker must catch:

${row(['breaks', 'how the build is broken', 'violated'])}
${row(['---', '---', '---'])}
${checks
  .map(({ name, breaks, caught, found }) =>
    row([breaks, name, caught ? found.join(', ') || 'nothing, as it should' : '**not caught**']),
  )
  .join('\n')}

${readFileSync(join(import.meta.dirname, 'notes.md'), 'utf8')}`
}

/** The first number in a finding's figures. */
const size = ({ figures }: Finding) => Number(/\d+/.exec(figures)?.[0])
