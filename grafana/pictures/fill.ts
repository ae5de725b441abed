import { UserError } from '../../functions/shared/process/user-error.ts'

/** How often Prometheus measures, in s: grafana/provisioning/datasources says the same. */
const scrapeInterval = 15
const steps = [15, 30, 60, 120, 300, 600, 1800, 3600]

/** Returns the time between two points of a graph, in s. @param range in s @param width in points */
export const stepOf = (range: number, width: number) =>
  steps.find((step) => step * width >= range) ?? steps.at(-1)!

export type Variables = Readonly<Record<string, string>>

/** Returns the variables that Grafana itself has in queries. @param range in s @param step in s */
export const builtIn = (range: number, step: number): Variables => ({
  __range: `${range}s`,
  __interval: `${step}s`,
  __rate_interval: `${Math.max(step + scrapeInterval, 4 * scrapeInterval)}s`,
})

/** Fills in the variables of a query, written as `$name` or `${name}`. @throws UserError if it has another */
export const fill = (query: string, variables: Variables): string =>
  query.replaceAll(/\$(?:([a-z_]\w*)|\{(\w+)\})/gi, (_, plain?: string, braced?: string) => {
    const name = (plain ?? braced)!
    const value = variables[name]
    if (value === undefined) throw new UserError(`${query} has the variable $${name}, which has no value.`)
    return value
  })

/** Returns the name of a series in a legend: the format with its `{{label}}`s filled in. */
export const legend = (format: string, labels: Variables): string =>
  format.replaceAll(/\{\{\s*(\S+?)\s*\}\}/g, (_, label: string) => labels[label] ?? '').trim()
