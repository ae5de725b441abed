import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder as Link,
  DashboardLinkType,
  RowBuilder,
  type Dashboard,
  type Panel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'

interface Board {
  uid: string
  title: string
  description: string
  /** The panels of each row, by its title. */
  rows: Readonly<Record<string, readonly Builder<Panel>[]>>
  variables?: readonly Builder<VariableModel>[]
}

/** Returns a dashboard. All of them link to each other, and keep the time that one looks at. */
export function board({ uid, title, description, rows, variables = [] }: Board): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['zeroshop'])
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .refresh('30s')
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new Link('Zeroshop')
        .type(DashboardLinkType.Dashboards)
        .tags(['zeroshop'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
  for (const variable of variables) builder.withVariable(variable)
  for (const [row, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(row))
    for (const panel of panels) builder.withPanel(panel)
  }
  const built = builder.build()
  // Grafana gives ids to panels that have none, and then links to a panel break
  return { ...built, panels: (built.panels ?? []).map((panel, i) => ({ ...panel, id: i + 1 })) }
}
