import { stringify } from 'yaml'
import { books } from './alerts/books.ts'
import { events } from './alerts/events.ts'
import { objectives } from './alerts/objectives.ts'
import { theShop } from './alerts/shop.ts'
import { stores } from './alerts/stores.ts'
import { ruleOf, type Alert } from './alert.ts'

/** The alerts, by the name of their group. */
export const alerts: Readonly<Record<string, readonly Alert[]>> = {
  objectives,
  events,
  stores,
  shop: theShop,
  books,
}

/** Returns the generated files of Prometheus' rules, by their paths in the project. */
export const ruleFiles = (): [path: string, text: string][] =>
  Object.entries(alerts).map(([name, list]) => [
    `grafana/rules/${name}.yaml`,
    `# Generated from grafana/alerts by npm run generate.\n${stringify({ groups: [{ name, rules: list.map(ruleOf) }] }, { lineWidth: 0 })}`,
  ])
