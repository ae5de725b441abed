import type { OperationRow } from './shared/domain.ts'
import { databaseRoles, functions, functionsOf, operations, type DatabaseRole } from './table.ts'
import type { Rights } from './event-rights.ts'

/** The rows of the functions that run with a role. */
const rowsOf = (role: DatabaseRole) =>
  role === 'events' ? [] : functionsOf(role).map((name) => functions[name])

/** What each role may do in the schema of event delivery beyond what every domain may do, for the migration. */
export const rights: Readonly<Record<string, Rights>> = Object.fromEntries(
  databaseRoles.map((role): [string, Rights] => [
    role,
    {
      projects: rowsOf(role).flatMap((row) => ('on' in row && row.projects ? row.on : [])),
      leavesSecrets: rowsOf(role).some((row) => 'leavesSecretsFor' in row),
      takesSecrets: Object.values(operations as Record<string, OperationRow>).some((row) =>
        row.leavesSecretsFor?.includes(role),
      ),
    },
  ]),
)
