import type { Finding } from './checker.ts'
import type { Fault } from './fault.ts'
import type { Check } from './mutation-check.ts'

/** What became of one fault. */
export interface Outcome {
  fault: Fault
  seed: number
  injected: number
  orders: number
  seconds: number
  said: string[]
  findings: Finding[]
  error?: string
}

/** docs/reliability.md: what was done to the shop, and what was found. */
export function report(outcomes: Outcome[], checks: Check[]): string {
  const stood = ({ error, findings }: Outcome) =>
    error === undefined && findings.every(({ violations }) => violations.length === 0)
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const total = (of: (outcome: Outcome) => number) => outcomes.reduce((sum, one) => sum + of(one), 0)
  const last = outcomes.at(-1)?.findings ?? []
  return `<!-- Written by npm run test:faults -- --report. -->

# Nothing lost, nothing twice

\`npm run test:faults\` makes a whole shop go wrong, a process for each function on real PostgreSQL, MongoDB-compatible store and NATS, while people order, cancel, ship and refund; after each fault it reads all stores and the payment provider's journal and checks the invariants. \`--seed\` repeats a run, \`--hours\` goes on.

${total(({ injected }) => injected)} faults, ${total(({ orders }) => orders)} orders, ${total(({ findings }) => findings.length)} invariants checked, ${outcomes.filter((one) => !stood(one)).length} failures.

${row(['fault', 'what is done', 'faults', 'orders', 'seed', 'seconds', ''])}
${row(['---', '---', '---:', '---:', '---:', '---:', '---'])}
${outcomes
  .map((one) =>
    row([
      `\`${one.fault.name}\``,
      [one.fault.title, ...one.said].join('; '),
      one.injected,
      one.orders,
      one.seed,
      one.seconds.toFixed(0),
      stood(one) ? 'stood' : `**fell**: ${one.error ?? ''}`,
    ]),
  )
  .join('\n')}

## The invariants

${row(['', 'what must hold', 'at the end of the last fault', 'violations'])}
${row(['---', '---', '---', '---:'])}
${last.map(({ name, what, figures, violations }) => row([name, what, figures, violations.length])).join('\n')}

## The checker can fail

For each invariant one deliberately broken build:

${row(['breaks', 'how the build is broken', 'found by'])}
${row(['---', '---', '---'])}
${checks.map(({ mutation, found }) => row([mutation.breaks, mutation.name, found.join(', ') || '**nothing**'])).join('\n')}

${notes}`
}

/** What the suite found while it was written, and how the design changed. */
const notes = `## What it found

NOTES
`
