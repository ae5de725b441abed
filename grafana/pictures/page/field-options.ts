import {
  FieldConfigOptionsRegistry,
  identityOverrideProcessor,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
} from '@grafana/data'
import type { Panel } from './drawing.ts'

/** The properties of fields that dashboards set. Grafana ignores a property that it does not know. */
const paths = [
  'unit',
  'min',
  'max',
  'decimals',
  'noValue',
  'color',
  'thresholds',
  'mappings',
  'links',
  'displayName',
]
const customPaths = [
  'align',
  'cellOptions',
  'inspect',
  'drawStyle',
  'lineInterpolation',
  'lineWidth',
  'fillOpacity',
  'gradientMode',
  'showPoints',
  'pointSize',
  'spanNulls',
  'stacking',
  'thresholdsStyle',
  'axisPlacement',
  'axisLabel',
  'axisSoftMax',
  'scaleDistribution',
  'hideFrom',
]

const item = (path: string, isCustom: boolean): FieldConfigPropertyItem => ({
  id: isCustom ? `custom.${path}` : path,
  path,
  name: path,
  isCustom,
  process: identityOverrideProcessor,
  shouldApply: () => true,
  // nobody edits
  editor: () => null,
  override: () => null,
})

export const fieldOptions = new FieldConfigOptionsRegistry(() => [
  ...paths.map((path) => item(path, false)),
  ...customPaths.map((path) => item(path, true)),
])

/** Until which value Grafana finds a value good if a panel does not say. */
const thresholds = {
  mode: 'absolute',
  steps: [
    { value: -Infinity, color: 'green' },
    { value: 80, color: 'red' },
  ],
}

/** What Grafana fills in for each type of panel. */
const defaults: Readonly<Record<string, { color: { mode: string }; custom: object }>> = {
  timeseries: {
    color: { mode: 'palette-classic' },
    custom: {
      drawStyle: 'line',
      lineInterpolation: 'linear',
      showPoints: 'auto',
      pointSize: 5,
      spanNulls: false,
      axisPlacement: 'auto',
      thresholdsStyle: { mode: 'off' },
    },
  },
  table: { color: { mode: 'thresholds' }, custom: { cellOptions: { type: 'auto' } } },
}
const otherwise = { color: { mode: 'thresholds' }, custom: {} }

/** Returns the configuration of a panel's fields with what Grafana fills in. */
export function fieldConfigOf({ type, fieldConfig }: Panel): FieldConfigSource {
  const { color, custom } = defaults[type] ?? otherwise
  const own = fieldConfig?.defaults ?? {}
  return {
    defaults: { color, thresholds, ...own, custom: { ...custom, ...(own['custom'] as object | undefined) } },
    overrides: fieldConfig?.overrides ?? [],
  } as unknown as FieldConfigSource
}
