/**
 * Migrations expand: functions of the version before go on running while a new one is rolled out, and after it is taken
 * back. A migration that breaks them says so in a line of its own: `-- breaking: <why>`.
 */

/** Why a migration breaks older code, as it says itself; undefined if it does not. */
export const breakingReason = (sql: string): string | undefined => /^-- breaking: (.+)$/m.exec(sql)?.[1]

const breaking: [what: string, pattern: RegExp][] = [
  ['drops a table or column', /\bdrop (?:table|schema|column)\b/],
  ['renames', /\brename\b/],
  ['changes the type of a column', /\balter column \S+ (?:set data )?type\b/],
  ['makes an existing column not null', /\bset not null\b/],
  ['adds a column that is not null and has no default', /\badd column (?![^,]*\bdefault\b)[^,]*\bnot null\b/],
]

/** What in a migration would break older code. */
export function breakingChanges(sql: string): string[] {
  const statements = sql
    .replaceAll(/^\s*--.*$/gm, '')
    .toLowerCase()
    .split(';')
  return statements.flatMap((statement) =>
    breaking.flatMap(([what, pattern]) => (pattern.test(statement) ? [what] : [])),
  )
}

/**
 * The oldest version whose code runs on a store that has all of these migrations.
 * @param breaking whether each migration breaks older code, oldest first
 */
export const oldestVersion = (breaking: readonly boolean[]): number => breaking.lastIndexOf(true) + 1
