import { ruleOf } from '../grafana/alert.ts'
import { alerts } from '../grafana/rules.ts'

/** Returns the alerts as resources of a Prometheus Operator, one for each group. */
export const prometheusRules = () =>
  Object.entries(alerts).map(([group, list]) => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: `zeroshop-${group}`,
      labels: { 'app.kubernetes.io/name': 'rules', 'app.kubernetes.io/part-of': 'zeroshop' },
    },
    spec: { groups: [{ name: `zeroshop-${group}`, rules: list.map(ruleOf) }] },
  }))
