/** The panels of the dashboards: each has a question as its title, and says how to read the answer. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge'
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphGradientMode,
  GraphThresholdsStyleConfigBuilder as ThresholdsStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LogsSortOrder,
  ReduceDataOptionsBuilder as Reduce,
  SortOrder,
  StackingConfigBuilder as Stacking,
  StackingMode,
  TableSortByFieldStateBuilder as SortBy,
  TooltipDisplayMode,
  VizLegendOptionsBuilder as Legend,
  VizOrientation,
  VizTooltipOptionsBuilder as Tooltip,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardLinkBuilder as Link,
  DashboardLinkType,
  ThresholdsConfigBuilder as Thresholds,
  ThresholdsMode,
  type DataTransformerConfig,
  type DynamicConfigValue,
  type Panel,
  type Threshold,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as Logs } from '@grafana/grafana-foundation-sdk/logs'
import { DataqueryBuilder as Query, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as Graph } from '@grafana/grafana-foundation-sdk/timeseries'
import { sources } from './sources.ts'

/** Grafana's names of units. */
export const units = {
  seconds: 's',
  share: 'percentunit',
  perSecond: 'reqps',
  messages: 'mps',
  events: 'eps',
  transactions: 'ops',
  perMinute: 'suffix:/min',
  count: 'short',
  /** A number with all its digits. */
  exact: 'locale',
  bytes: 'bytes',
} as const

interface Asked {
  /** What the panel answers. */
  question: string
  /** How to read the answer, and what is good. */
  description: string
  unit: string
  /** From which value it is worth a look, and from which it is bad; or, for what should be high, below which. */
  limits?: { warn?: number; bad: number; isFloor?: boolean }
  /** The width, of 24. */
  span?: number
  height?: number
  links?: readonly { title: string; url: string }[]
  /** What it says if there is nothing, where that is the answer and no lack of data. */
  nothing?: string
}

interface Drawn extends Asked {
  /** The legend of each query, which may name labels as `{{label}}`, and the query. */
  queries: Readonly<Record<string, string>>
}

export interface Lines extends Drawn {
  isStacked?: boolean
  /** Whether there are many lines, whose names need a place of their own. */
  areMany?: boolean
  max?: number
}

/** Draws queries over time. */
export function lines({ isStacked = false, areMany = false, max, ...asked }: Lines): Builder<Panel> {
  const panel = new Graph()
    .min(0)
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 8)
    .gradientMode(GraphGradientMode.None)
    .legend(
      new Legend()
        .displayMode(LegendDisplayMode.List)
        .placement(areMany ? LegendPlacement.Right : LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new Tooltip().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  if (isStacked) panel.stacking(new Stacking().mode(StackingMode.Normal))
  if (max !== undefined) panel.max(max)
  if (asked.limits !== undefined) {
    panel.thresholdsStyle(new ThresholdsStyle().mode(GraphThresholdsStyleMode.Dashed))
    // an axis of zeros alone would go to 10 000 %
    if (asked.unit === units.share) panel.axisSoftMax(asked.limits.bad)
  }
  return drawn(panel, asked)
}

/** Shows the present values of queries as large numbers. */
export const numbers = (asked: Drawn): Builder<Panel> =>
  drawn(
    whole(
      new Stat()
        .colorMode(BigValueColorMode.Value)
        .graphMode(BigValueGraphMode.None)
        .textMode(BigValueTextMode.ValueAndName)
        .reduceOptions(new Reduce().calcs(['lastNotNull'])),
      asked,
    ),
    asked,
    {
      isInstant: true,
    },
  )

/** Compares the present values of queries as bars. */
export const bars = (asked: Drawn): Builder<Panel> =>
  drawn(
    whole(
      new BarGauge()
        .displayMode(BarGaugeDisplayMode.Basic)
        .orientation(VizOrientation.Horizontal)
        .min(0)
        .reduceOptions(new Reduce().calcs(['lastNotNull'])),
      asked,
    ),
    asked,
    { isInstant: true },
  )

/** Rounds what is counted: Prometheus extrapolates an increase to the ends of its range. */
const whole = <P extends Stat | BarGauge>(panel: P, { unit }: Asked): P =>
  (unit === units.count || unit === units.exact ? panel.decimals(0) : panel) as P

export interface Columns extends Asked {
  /** The query of each column. All have the label `by`, whose values are the rows. */
  columns: Readonly<Record<string, { query: string; unit: string; bad?: number }>>
  /** The column whose largest value comes first. */
  sortedBy: string
  /** The label of the rows, and what it is called here. */
  by: readonly [label: string, title: string]
  /** Where the name of a row leads. */
  rowLink?: { title: string; url: string }
}

/** Lists the present values of queries, a row for each value of a label. */
export function table({ columns, by: [label, title], rowLink, sortedBy, ...asked }: Columns): Builder<Panel> {
  const entries = Object.entries(columns)
  const panel = new Table().sortBy([new SortBy().displayName(sortedBy).desc(true)])
  for (const [i, { query }] of entries.map(([, column]) => column).entries())
    panel.withTarget(
      new Query()
        .expr(query)
        .refId(refId(i))
        .instant()
        .format(PromQueryFormat.Table)
        .datasource(sources.prometheus),
    )
  const names = Object.fromEntries(entries.map(([name], i) => [valueOf(i, entries.length), name]))
  panel.transformations([
    { id: 'joinByField', options: { byField: label, mode: 'outer' } },
    only([label, ...Object.keys(names)]),
    { id: 'organize', options: { renameByName: { ...names, [label]: title } } },
  ])
  for (const [name, { unit, bad }] of entries)
    panel.overrideByName(name, [{ id: 'unit', value: unit }, ...(bad === undefined ? [] : marked(bad))])
  if (rowLink !== undefined)
    panel.overrideByName(title, [{ id: 'links', value: [{ title: rowLink.title, url: rowLink.url }] }])
  return described(panel, asked)
}

/** Lists the alerts that fire. */
export const alerts = (firing: string, asked: Asked): Builder<Panel> =>
  described(
    new Table()
      .withTarget(
        new Query()
          .expr(`count by (alertname, severity) (${firing})`)
          .refId('A')
          .instant()
          .format(PromQueryFormat.Table)
          .datasource(sources.prometheus),
      )
      .transformations([
        only(['alertname', 'severity', 'Value']),
        { id: 'organize', options: { renameByName: { alertname: 'alert', Value: 'how many' } } },
      ])
      // a page before a ticket
      .sortBy([new SortBy().displayName('severity')]),
    asked,
  )

/** Shows lines of the log. */
export const logs = (query: string, asked: Asked): Builder<Panel> =>
  described(
    new Logs()
      .showTime(true)
      .showLabels(true)
      .wrapLogMessage(true)
      .sortOrder(LogsSortOrder.Descending)
      .withTarget({ build: () => logQuery(query) })
      .datasource(sources.logs),
    asked,
  )

const logQuery = (expr: string) => ({
  refId: 'A',
  expr,
  queryType: 'instant',
  _implementsDataqueryVariant() {},
})

const refId = (i: number) => String.fromCharCode(65 + i)

/** What Grafana calls the value of a query in a table. */
const valueOf = (i: number, of: number) => (of === 1 ? 'Value' : `Value #${refId(i)}`)

const only = (names: readonly string[]): DataTransformerConfig => ({
  id: 'filterFieldsByName',
  options: { include: { names } },
})

const marked = (bad: number): DynamicConfigValue[] => [
  { id: 'thresholds', value: { mode: 'absolute', steps: steps({ bad }) } },
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
]

type Drawable = Graph | Stat | BarGauge

function drawn(panel: Drawable, { queries, ...asked }: Drawn, { isInstant = false } = {}): Builder<Panel> {
  for (const [i, [legend, expr]] of Object.entries(queries).entries()) {
    const query = new Query().expr(expr).legendFormat(legend).refId(refId(i)).datasource(sources.prometheus)
    panel.withTarget(isInstant ? query.instant() : query.range())
  }
  return described(panel, asked)
}

function described(
  panel: Drawable | Table | Logs,
  { question, description, unit, limits, span = 12, height = 8, links = [], nothing }: Asked,
): Builder<Panel> {
  if (!(panel instanceof Logs)) panel.datasource(sources.prometheus)
  panel.title(question).description(description).unit(unit).span(span).height(height)
  if (nothing !== undefined && !(panel instanceof Logs)) panel.noValue(nothing)
  // without any, Grafana shows what is above 80 in red
  const coloured = limits === undefined ? [{ value: null, color: 'blue' }] : steps(limits)
  panel.thresholds(new Thresholds().mode(ThresholdsMode.Absolute).steps(coloured))
  if (links.length > 0)
    panel.dataLinks(
      links.map(({ title, url }) => new Link(title).type(DashboardLinkType.Link).url(url).targetBlank(true)),
    )
  return panel
}

function steps({ warn, bad, isFloor = false }: NonNullable<Asked['limits']>): Threshold[] {
  const colours = isFloor ? ['red', 'orange', 'green'] : ['green', 'orange', 'red']
  const [first, middle, last] = colours as [string, string, string]
  const begin = { value: null, color: first }
  if (warn === undefined) return [begin, { value: bad, color: last }]
  const [lower, upper] = isFloor ? [bad, warn] : [warn, bad]
  return [begin, { value: lower, color: middle }, { value: upper, color: last }]
}
