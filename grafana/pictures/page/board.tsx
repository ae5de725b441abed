import { dateTimeFormat, dateTime, type TimeRange } from '@grafana/data'
import { ErrorBoundary, PanelChrome } from '@grafana/ui'
import { drawers, type Framed } from './drawers.tsx'
import type { Drawing, Panel as DrawnPanel } from './drawing.ts'
import { theme } from './theme.ts'

interface Props {
  drawing: Drawing
  framed: readonly Framed[]
  /** Is called for each panel that cannot be drawn. */
  onProblem: (title: string, problem: string) => void
}

/** The sizes of Grafana's grid, in pixels. */
const margin = 16
const gap = 8
const rowHeight = 30
const columns = 24

const columnWidth = (window.innerWidth - 2 * margin - (columns - 1) * gap) / columns
const widthOf = (w: number) => w * columnWidth + (w - 1) * gap
const heightOf = (h: number) => h * rowHeight + (h - 1) * gap

/** Draws a dashboard: its head, and its panels where the grid has them. */
export function Board({ drawing, framed, onProblem }: Props) {
  const { from, to } = drawing
  const raw = { from: dateTime(from), to: dateTime(to) }
  const range: TimeRange = { ...raw, raw }
  return (
    <main style={{ padding: margin }}>
      <Head {...drawing} />
      <div
        style={{
          display: 'grid',
          gap,
          gridTemplateColumns: `repeat(${columns}, ${columnWidth}px)`,
          gridAutoRows: rowHeight,
        }}
      >
        {framed.map((each) => {
          const { id, title, gridPos } = each.panel
          const { x, y, w, h } = gridPos
          return (
            <div key={id} style={{ gridArea: `${y + 1} / ${x + 1} / span ${h} / span ${w}` }}>
              <ErrorBoundary onError={({ message }) => onProblem(title, message)}>
                {({ error }) =>
                  error === null ? <Panel each={each} range={range} onProblem={onProblem} /> : error.message
                }
              </ErrorBoundary>
            </div>
          )
        })}
      </div>
    </main>
  )
}

const minute = (time: number) => dateTimeFormat(time, { format: 'YYYY-MM-DD HH:mm', timeZone: 'utc' })

function Head({ title, description, variables, from, to }: Drawing) {
  const chosen = Object.entries(variables).map(([label, value]) => `${label}: ${value}`)
  const aside = [...chosen, `${minute(from)} to ${minute(to)} UTC`]
  return (
    <header style={{ display: 'flex', alignItems: 'baseline', gap: margin, marginBottom: gap }}>
      <h1 style={{ ...theme.typography.h3, margin: 0 }}>{title}</h1>
      <span style={{ color: theme.colors.text?.secondary, flexGrow: 1 }}>{description}</span>
      <span>{aside.join(' · ')}</span>
    </header>
  )
}

function Panel({
  each,
  range,
  onProblem,
}: {
  each: Framed
  range: TimeRange
  onProblem: Props['onProblem']
}) {
  const { type, title, description = '', gridPos } = each.panel
  if (type === 'row')
    return <h2 style={{ ...theme.typography.h5, margin: 0, lineHeight: `${rowHeight}px` }}>{title}</h2>
  const draw = drawers[type]
  const problem =
    each.problem ?? (draw === undefined ? `A panel of the type ${type} cannot be drawn.` : undefined)
  if (problem !== undefined) onProblem(title, problem)
  return (
    <PanelChrome
      title={title}
      description={description}
      width={widthOf(gridPos.w)}
      height={heightOf(gridPos.h)}
    >
      {(width, height) => {
        if (problem !== undefined) return <Instead>{problem}</Instead>
        if (isEmpty(each)) return <Instead>{nothingOf(each.panel) ?? 'No data'}</Instead>
        return draw!({ ...each, range, width, height })
      }}
    </PanelChrome>
  )
}

/** Returns what a panel says if there is nothing, where that is the answer. */
export const nothingOf = ({ fieldConfig }: DrawnPanel) =>
  fieldConfig?.defaults['noValue'] as string | undefined

/** Whether no query returned a line or a number. */
export const isEmpty = ({ answers, lines }: Framed) =>
  lines.length === 0 &&
  answers.every(({ series }) =>
    series.every(({ points }) => points.every(([, value]) => Number.isNaN(value))),
  )

const Instead = ({ children }: { children: string }) => (
  <div
    style={{ display: 'grid', placeContent: 'center', height: '100%', color: theme.colors.text?.secondary }}
  >
    {children}
  </div>
)
