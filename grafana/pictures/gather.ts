import { UserError } from '../../functions/shared/process/user-error.ts'
import { sources } from '../sources.ts'
import type { Found, Logs, Metrics } from './ask.ts'
import { builtIn, fill, legend, stepOf, type Variables } from './fill.ts'
import type { Answer, Answered, Drawing, Panel, Target } from './page/drawing.ts'
import { chosenOf, type Variable } from './variables.ts'

/** A dashboard's JSON. */
export interface Dashboard {
  title: string
  description: string
  panels: readonly Panel[]
  templating: { list?: readonly Variable[] }
}

export interface Asked {
  metrics: Metrics
  logs: Logs
  /** In s since 1970. */
  start: number
  end: number
  /** The chosen values of variables, by their names. */
  chosen: Variables
  /** How wide the picture is, in pixels. */
  width: number
}

/** How many columns Grafana's grid has. */
const columns = 24

/** Asks the queries of a dashboard. A query that fails is the problem of its panel. */
export async function gather(dashboard: Dashboard, asked: Asked): Promise<Drawing> {
  const { list = [] } = dashboard.templating
  const chosen = await chosenOf(list, asked)
  const panels = await Promise.all(dashboard.panels.map((panel) => answered(panel, chosen, asked)))
  return {
    title: dashboard.title,
    description: dashboard.description,
    variables: Object.fromEntries(list.map(({ name, label }) => [label, chosen[name]!])),
    from: asked.start * 1000,
    to: asked.end * 1000,
    panels,
  }
}

async function answered(panel: Panel, chosen: Variables, asked: Asked): Promise<Answered> {
  const range = asked.end - asked.start
  const step = stepOf(range, (asked.width * panel.gridPos.w) / columns)
  const variables = { ...builtIn(range, step), ...chosen }
  const nothing = { panel, answers: [], lines: [] }
  try {
    if (panel.datasource?.uid === sources.logs.uid)
      return { ...nothing, lines: await linesOf(panel, variables, asked) }
    const targets = panel.targets ?? []
    const answers = await Promise.all(targets.map((target) => answer(target, variables, step, asked)))
    return { ...nothing, answers }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { ...nothing, problem: error.message }
  }
}

async function answer(target: Target, variables: Variables, step: number, asked: Asked): Promise<Answer> {
  const query = fill(target.expr, variables)
  const { metrics, start, end } = asked
  // as Grafana does, so that a picture does not change with the second in which it is drawn
  const aligned = { start: Math.floor(start / step) * step, end: Math.floor(end / step) * step, step }
  const found = await (target.instant === true ? metrics.at(query, end) : metrics.over(query, aligned))
  return {
    refId: target.refId,
    isTable: target.format === 'table',
    step: step * 1000,
    series: found.map((each) => seriesOf(each, target)),
  }
}

const seriesOf = ({ metric, values }: Found, { legendFormat }: Target) => ({
  name: legendFormat === undefined ? JSON.stringify(metric) : legend(legendFormat, metric),
  labels: metric,
  points: values.map(([time, value]) => [time * 1000, Number(value)] as const),
})

async function linesOf({ targets = [] }: Panel, variables: Variables, { logs, start, end }: Asked) {
  const found = await Promise.all(targets.map(({ expr }) => logs(fill(expr, variables), { start, end })))
  return found.flat()
}
