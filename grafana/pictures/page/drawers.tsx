import {
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  type DisplayValueAlignmentFactors,
  type DataFrame,
  type FieldDisplay,
  type ReduceDataOptions,
  type TimeRange,
} from '@grafana/data'
import type { VizLegendOptions, VizOrientation } from '@grafana/schema'
import {
  BarGauge,
  BigValue,
  Table,
  TimeSeries,
  VizRepeater,
  type TableSortByFieldState,
  type VizRepeaterRenderValueProps,
} from '@grafana/ui'
import type { ComponentProps, ReactElement, ReactNode } from 'react'
import type { Answered, LogLine } from './drawing.ts'
import { fieldConfigOf } from './field-options.ts'
import { asItIs } from './frames.ts'
import { theme } from './theme.ts'

/** A panel with its data in Grafana's form. */
export interface Framed extends Answered {
  frames: DataFrame[]
}

export interface Drawable extends Framed {
  range: TimeRange
  width: number
  height: number
}

/** Draws each type of panel. Its options are what Grafana's component takes: the dashboards' sources are checked for that. */
export const drawers: Readonly<Record<string, (drawable: Drawable) => ReactNode>> = {
  timeseries: ({ panel, frames, range, width, height }) => (
    <TimeSeries
      frames={frames}
      legend={panel.options!['legend'] as VizLegendOptions}
      timeRange={range}
      timeZone="utc"
      width={width}
      height={height}
      structureRev={1}
    />
  ),

  stat: (drawable) => {
    const options = drawable.panel.options as unknown as Pick<
      ComponentProps<typeof BigValue>,
      'colorMode' | 'graphMode'
    >
    return (
      <Repeated {...drawable}>
        {({ value, alignmentFactors, ...place }) => (
          <BigValue
            value={value.display}
            alignmentFactors={alignmentFactors}
            theme={theme}
            {...place}
            {...options}
          />
        )}
      </Repeated>
    )
  },

  bargauge: (drawable) => {
    const options = drawable.panel.options as unknown as Pick<
      ComponentProps<typeof BarGauge>,
      'orientation' | 'displayMode'
    >
    return (
      <Repeated {...drawable}>
        {({ value, ...place }) => (
          <BarGauge value={value.display} field={value.field} theme={theme} {...place} {...options} />
        )}
      </Repeated>
    )
  },

  table: ({ panel, frames, width, height }) => (
    <Table
      data={frames[0]!}
      width={width}
      height={height}
      columnMinWidth={100}
      initialSortBy={panel.options!['sortBy'] as TableSortByFieldState[]}
    />
  ),

  logs: ({ lines, height }) => (
    <pre style={{ height, margin: 0, border: 0, padding: 0, fontSize: 11, overflow: 'hidden' }}>
      {lines
        .map(({ time, text, labels }) =>
          [new Date(time).toISOString(), text, ...shown(labels, lines)].join('  '),
        )
        .join('\n')}
    </pre>
  ),
}

/** Returns the labels of a line, without those that are the same in all lines. */
const shown = (labels: LogLine['labels'], lines: readonly LogLine[]) =>
  Object.entries(labels)
    .filter(([name, value]) => lines.some((other) => other.labels[name] !== value))
    .map(([name, value]) => `${name}=${value}`)

interface RepeatedProps extends Drawable {
  children: (shown: VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>) => ReactElement
}

/** Draws a value of each series, side by side. */
function Repeated({ panel, frames, width, height, children }: RepeatedProps) {
  const { reduceOptions, orientation } = panel.options as unknown as {
    reduceOptions: ReduceDataOptions
    orientation: VizOrientation
  }
  const fieldConfig = fieldConfigOf(panel)
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      getValues={() =>
        getFieldDisplayValues({
          fieldConfig,
          reduceOptions,
          replaceVariables: asItIs,
          theme,
          data: frames,
          timeZone: 'utc',
        })
      }
      renderValue={children}
      source={frames}
      width={width}
      height={height}
      orientation={orientation}
      renderCounter={0}
    />
  )
}
