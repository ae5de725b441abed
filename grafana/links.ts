import { label } from './prometheus.ts'
import { explore, sources } from './sources.ts'

/** The page of a function, whose name Grafana fills in. */
export const functionUrl = (name: string) => `/d/zeroshop-function?var-function=${name}&\${__url_time_range}`

/** From a series to the page of its function. */
const toFunction = (of: string) => ({
  title: 'This function',
  url: functionUrl(`\${__field.labels.${of}}`),
})

/** From a series to the traces of its function. */
const toTraces = (of: string) => ({
  title: 'Its traces',
  url: explore(sources.traces, { queryType: 'search', service: `\${__field.labels.${of}}` }),
})

/** From a series to the log of its function. */
const toLogs = (of: string) => ({
  title: 'Its log',
  url: explore(sources.logs, { expr: `function:="\${__field.labels.${of}}"`, queryType: 'instant' }),
})

/** From a series with the name of a function to all that is known of it. */
export const ofFunction = (of = label('zeroshop.function')) => [toFunction(of), toTraces(of), toLogs(of)]
