/** The data sources, by the uids that grafana/provisioning gives them. */
export const sources = {
  prometheus: { type: 'prometheus', uid: 'prometheus' },
  traces: { type: 'jaeger', uid: 'traces' },
  logs: { type: 'victoriametrics-logs-datasource', uid: 'logs' },
} as const

type Source = (typeof sources)[keyof typeof sources]

/**
 * Returns the address of a query in Grafana's Explore. A `${…}` in the query is filled in by Grafana.
 * @param query as the data source has it
 */
export function explore(datasource: Source, query: object): string {
  const panes = {
    a: {
      datasource: datasource.uid,
      queries: [{ refId: 'A', datasource, ...query }],
      range: { from: '${__from}', to: '${__to}' },
    },
  }
  const encoded = encodeURIComponent(JSON.stringify(panes)).replaceAll(
    /%24%7B(.+?)%7D/g,
    (_, name: string) => `\${${decodeURIComponent(name)}}`,
  )
  return `/explore?schemaVersion=1&panes=${encoded}`
}
