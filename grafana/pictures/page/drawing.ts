/** What the page draws: a dashboard's JSON, as far as it matters for the picture, and what its queries returned. */
export interface Drawing {
  title: string
  description: string
  /** The chosen value of each variable, by its label. */
  variables: Readonly<Record<string, string>>
  /** In ms since 1970. */
  from: number
  to: number
  panels: readonly Answered[]
}

export interface Answered {
  panel: Panel
  answers: readonly Answer[]
  lines: readonly LogLine[]
  /** Why its queries could not be answered. */
  problem?: string
}

export interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  /** The options of its type. Nobody has checked them: they are Grafana's. */
  options?: Readonly<Record<string, unknown>>
  fieldConfig?: FieldConfig
  transformations?: readonly { id: string; options: object }[]
  targets?: readonly Target[]
  datasource?: { uid: string }
}

export interface FieldConfig {
  defaults: Readonly<Record<string, unknown>>
  overrides: readonly {
    matcher: { id: string; options?: unknown }
    properties: readonly { id: string; value?: unknown }[]
  }[]
}

export interface Target {
  refId: string
  expr: string
  legendFormat?: string
  instant?: boolean
  format?: string
}

/** What a query returned. */
export interface Answer {
  refId: string
  /** Whether the series are the rows of a table, with their labels as columns. */
  isTable: boolean
  /** The time between two points, in ms: where one is missing, a line has a gap. */
  step: number
  series: readonly Series[]
}

export interface Series {
  /** As the legend shows it. */
  name: string
  labels: Readonly<Record<string, string>>
  /** The times are in ms since 1970. */
  points: readonly (readonly [time: number, value: number])[]
}

export interface LogLine {
  time: number
  text: string
  labels: Readonly<Record<string, string>>
}

/** What the page says when it has drawn: the panels that it could not draw, and why. */
export interface Drawn {
  problems: Readonly<Record<string, string>>
  /** The titles of the panels that have no data. */
  empty: readonly string[]
}
