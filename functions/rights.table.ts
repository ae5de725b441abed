import type { ReactionRow } from './shared/domain.ts'
import { databaseRoles, domains } from './table.ts'
import type { Rights } from './event-rights.ts'

/** What each role may do in the schema of event delivery beyond what every domain may do, for the migration. */
export const rights: Readonly<Record<string, Rights>> = Object.fromEntries(
  databaseRoles.map((role): [string, Rights] => {
    const reactions: ReactionRow[] = role === 'events' ? [] : Object.values(domains[role].reactions)
    return [role, { projects: reactions.flatMap(({ on, projects }) => (projects ? on : [])) }]
  }),
)
