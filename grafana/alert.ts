import type { Objective } from './objectives.ts'

/** A page needs someone now; a ticket, within a day or two. */
export type Severity = 'page' | 'ticket'

export interface Alert {
  /** In the present tense, as what is the case: `OutboxIsLate`. Its runbook is named after it: outbox-is-late.md. */
  name: string
  severity: Severity
  /** When it fires, in PromQL. */
  expr: string
  /** For how long the expression must hold. */
  for: string
  /** For how long it keeps firing after that, so that it does not flap. */
  keepFor?: string
  /** What tells alerts of one name apart. */
  labels?: Readonly<Record<string, string>>
  /** One line, which may name labels as `{{ $labels.x }}`, and the value as `{{ $value }}`. */
  summary: string
}

/** Returns the name of an alert's runbook: `outbox-is-late` for OutboxIsLate. */
export const runbookOf = (name: string) =>
  name.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()

/** Returns a rule as Prometheus has it. */
export const ruleOf = ({ name, severity, expr, for: during, keepFor, labels, summary }: Alert) => ({
  alert: name,
  expr,
  for: during,
  ...(keepFor !== undefined && { keep_firing_for: keepFor }),
  labels: { severity, ...labels },
  annotations: { summary, runbook_url: `docs/runbooks/${runbookOf(name)}.md` },
})

/**
 * How fast an objective's 30 days of mistakes are used up, over a long time, and over a short one, so that the alert ends
 * soon after the cause (https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts).
 */
const burns = [
  { severity: 'page', times: 14.4, long: '1h', short: '5m', for: '2m' },
  { severity: 'page', times: 6, long: '6h', short: '30m', for: '5m' },
  { severity: 'ticket', times: 3, long: '1d', short: '2h', for: '30m' },
  { severity: 'ticket', times: 1, long: '3d', short: '6h', for: '1h' },
] as const

/** Fewer in an hour say nothing: of ten requests, one may fail. */
const fewest = 30

/** Returns the alerts of an objective. */
export const burnRates = (name: string, { goal, bad, total }: Objective, what: string): Alert[] =>
  burns.map(({ severity, times, long, short, for: during }) => {
    const limit = Number((times * (1 - goal)).toPrecision(6))
    return {
      name,
      severity,
      expr: `${bad(long)} > ${limit} and ${bad(short)} > ${limit} and ${total(long)} > ${fewest}`,
      for: during,
      labels: { window: long },
      summary: `{{ $value | humanizePercentage }} of ${what} in ${long}: at this rate, the 30 days’ allowance is used up in ${Number((30 / times).toFixed(1))} days`,
    }
  })
