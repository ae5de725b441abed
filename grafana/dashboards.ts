import { business } from './boards/business.ts'
import { oneFunction } from './boards/one-function.ts'
import { orders } from './boards/orders.ts'
import { overview } from './boards/overview.ts'
import { scaling } from './boards/scaling.ts'
import { stores } from './boards/stores.ts'

/** Returns every dashboard, by the name of its file. */
export const dashboards = () => ({
  overview: overview(),
  scaling: scaling(),
  orders: orders(),
  stores: stores(),
  business: business(),
  'one-function': oneFunction(),
})

/** Returns the generated files of the dashboards, by their paths in the project. */
export const dashboardFiles = (): [path: string, text: string][] =>
  Object.entries(dashboards()).map(([name, dashboard]) => [
    `grafana/dashboards/${name}.json`,
    `${JSON.stringify(dashboard, null, 2)}\n`,
  ])
