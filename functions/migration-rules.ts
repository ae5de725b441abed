/**
 * Migrations only add to a schema, so that functions of the previous version keep running while a new version
 * is rolled out, and after a rollback. A migration that breaks older code must say so in its own line:
 * `-- breaking: <why>`.
 */

/** Returns the reason in a migration's `-- breaking` line, or undefined if it has none. */
export const breakingReason = (sql: string): string | undefined => /^-- breaking: (.+)$/m.exec(sql)?.[1]

const breaking: [what: string, pattern: RegExp][] = [
  ['drops a table or column', /\bdrop (?:table|schema|column)\b/],
  ['renames', /\brename\b/],
  ['changes the type of a column', /\balter column \S+ (?:set data )?type\b/],
  ['makes an existing column not null', /\bset not null\b/],
  ['adds a column that is not null and has no default', /\badd column (?![^,]*\bdefault\b)[^,]*\bnot null\b/],
]

/** Returns what in a migration would break older code. */
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
 * Returns the oldest version whose code can run on a store that has all of these migrations.
 * @param breaking whether each migration breaks older code, oldest first
 */
export const oldestVersion = (breaking: readonly boolean[]): number => breaking.lastIndexOf(true) + 1
