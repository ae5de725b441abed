import { dashboards } from '../../grafana/dashboards.ts'
import { isOfCluster } from '../../grafana/query-names.ts'
import { sources } from '../../grafana/sources.ts'

interface Panel {
  type: string
  title: string
  datasource?: { uid: string }
  targets?: { refId: string; expr: string }[]
}

/** The functions for which the page of one function is asked. It has panels for operations and for reactions. */
const chosen = ['create-order', 'authorize-payment']

/** Fills in what Grafana would. */
const filled = (expr: string, name = '') =>
  expr.replaceAll('$__rate_interval', '20s').replaceAll('$__range', '15m').replaceAll('$function', name)

/** Returns the queries of each panel, or those of one data source, as Grafana would send them. */
const queriesOf = (uid: string) =>
  Object.entries(dashboards()).flatMap(([dashboard, { panels = [] }]) =>
    (panels as Panel[])
      .filter(({ datasource }) => datasource?.uid === uid)
      .flatMap(({ title, targets = [] }) =>
        targets.map(({ refId, expr }) => ({
          dashboard,
          name: `${dashboard}: ${title} ${refId}`,
          exprs: expr.includes('$function') ? chosen.map((name) => filled(expr, name)) : [filled(expr)],
        })),
      ),
  )

const all = queriesOf(sources.prometheus.uid)
const needsCluster = ({ exprs }: { exprs: string[] }) => exprs.every(isOfCluster)

/** The queries of panels that have data wherever the shop runs. One of `exprs` must have some. */
export const queries = all.filter((query) => !needsCluster(query))
/** Those that have data on a cluster only. */
export const clusterQueries = all.filter(needsCluster)
/** The queries for the log. */
export const logQueries = queriesOf(sources.logs.uid)
