import { UserError } from '../../functions/shared/process/user-error.ts'
import type { Found, Metrics } from './ask.ts'
import type { Variables } from './fill.ts'

/** A variable of a dashboard, whose values a query returns. */
export interface Variable {
  name: string
  label: string
  query: { query: string }
  /** What of a series is the value. */
  regex: string
}

interface Asked {
  metrics: Metrics
  end: number
  chosen: Variables
}

/** Returns the value of each variable: the chosen one, or the first. @throws UserError if it does not have the chosen one */
export async function chosenOf(list: readonly Variable[], asked: Asked): Promise<Variables> {
  const all = list.map(async (variable) => [variable.name, await valueOf(variable, asked)] as const)
  return Object.fromEntries(await Promise.all(all))
}

async function valueOf({ name, query, regex }: Variable, { metrics, end, chosen }: Asked): Promise<string> {
  const [, expression] = /^query_result\((.+)\)$/s.exec(query.query) ?? []
  if (expression === undefined) throw new UserError(`The variable ${name} is not a query_result(…).`)
  const pattern = new RegExp(regex.replaceAll(/^\/|\/$/g, ''))
  const values = (await metrics.at(expression, end))
    .flatMap((found) => pattern.exec(written(found))?.[1] ?? [])
    .toSorted()
  const wanted = chosen[name] ?? values[0]
  if (wanted !== undefined && values.includes(wanted)) return wanted
  const known = values.length === 0 ? 'Nothing has been measured yet.' : `There are ${values.join(', ')}.`
  throw new UserError(`There is no ${name} ${wanted ?? 'at all'}. ${known}`)
}

/** A series as `query_result` writes it. */
const written = ({ metric, values: [[time, value] = [0, '']] }: Found) => {
  const labels = Object.entries(metric).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  return `{${labels.join(',')}} ${value} ${time}`
}
