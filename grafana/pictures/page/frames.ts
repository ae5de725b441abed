import {
  applyFieldOverrides,
  applyNullInsertThreshold,
  FieldType,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
  type DataFrame,
} from '@grafana/data'
import { firstValueFrom } from 'rxjs'
import { fieldConfigOf, fieldOptions } from './field-options.ts'
import { theme } from './theme.ts'
import type { Answer, Answered, Series } from './drawing.ts'

const { joinByFieldTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer } =
  standardTransformers
standardTransformersRegistry.setInit(() =>
  [joinByFieldTransformer, filterFieldsByNameTransformer, organizeFieldsTransformer].map(
    (transformation) => ({
      id: transformation.id,
      name: transformation.name,
      transformation: async () => transformation,
      // nobody edits
      editor: () => null,
      imageDark: '',
      imageLight: '',
    }),
  ),
)

/** Leaves variables in links as they are: nobody can click on a picture. */
export const asItIs = (text: string) => text

/** Returns the data of a panel as Grafana gives it to the panel, with units, thresholds and colours. */
export async function framesOf({ panel, answers }: Answered): Promise<DataFrame[]> {
  const raw = answers.flatMap((answer) =>
    answer.isTable ? rows(answer, answers) : answer.series.map((series) => points(answer, series)),
  )
  const transformed = await firstValueFrom(transformDataFrame([...(panel.transformations ?? [])], raw))
  // a known transformation is applied, and any other is ignored
  const unknown = panel.transformations?.find(
    ({ id }) => standardTransformersRegistry.getIfExists(id) === undefined,
  )
  if (unknown !== undefined) throw new Error(`The transformation ${unknown.id} cannot be drawn.`)
  return applyFieldOverrides({
    data: transformed.map((frame) => applyNullInsertThreshold({ frame })),
    fieldConfig: fieldConfigOf(panel),
    fieldConfigRegistry: fieldOptions,
    replaceVariables: asItIs,
    theme,
    timeZone: 'utc',
  })
}

const points = ({ refId, step }: Answer, { name, labels, points }: Series) =>
  toDataFrame({
    refId,
    fields: [
      {
        name: 'Time',
        type: FieldType.time,
        values: points.map(([time]) => time),
        config: { interval: step },
      },
      {
        name: 'Value',
        type: FieldType.number,
        values: points.map(([, value]) => value),
        labels,
        config: { displayNameFromDS: name },
      },
    ],
  })

function rows({ refId, series }: Answer, answers: readonly Answer[]) {
  const labels = [...new Set(series.flatMap((each) => Object.keys(each.labels)))].toSorted()
  const latest = series.map(({ points }) => points.at(-1) ?? [0, NaN])
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: latest.map(([time]) => time) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: series.map((each) => each.labels[label] ?? ''),
      })),
      {
        name: answers.length === 1 ? 'Value' : `Value #${refId}`,
        type: FieldType.number,
        values: latest.map(([, value]) => value),
      },
    ],
  })
}
