import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { databaseRoles, type DatabaseRole } from './functions.ts'
import { refuseNewer, schemaVersion } from './shared/store/schema-version.ts'

/**
 * Brings the database up to the schema of this code, and gives each domain's role its own schema and nothing
 * else. It may run any number of times, and at the same time as another.
 * @param adminUrl logs in as a role that may create roles and schemas
 * @param passwords one for each role
 * @param folder where the migrations are
 * @throws ConfigError where the database has migrations that this code does not know
 */
export async function migrate(
  adminUrl: string,
  passwords: Record<DatabaseRole, string>,
  folder: string,
): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    await sql`set lock_timeout = '120s'`
    await sql`select pg_advisory_lock(hashtext('zeroshop migrate'))`
    refuseNewer('PostgreSQL database', await appliedCount(sql), schemaVersion)
    for (const role of databaseRoles) {
      const [found] = await sql`select from pg_roles where rolname = ${role}`
      // a role's name and password cannot be parameters of DDL; format() quotes them
      const [row] = await sql<[{ ddl: string }]>`
        select format(${found ? 'alter' : 'create'} || ' role %I login password %L', ${role}::text, ${passwords[role]}::text) as ddl`
      await sql.unsafe(row.ddl)
    }
    await runMigrations(drizzle({ client: sql }), { migrationsFolder: folder })
    await sql.unsafe(grants())
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** How many migrations the database has; 0 where it was never migrated. */
async function appliedCount(sql: postgres.Sql): Promise<number> {
  // made by drizzle's migrator
  const [table] = await sql<
    [{ oid: string | null }]
  >`select to_regclass('drizzle.__drizzle_migrations') as oid`
  if (table.oid === null) return 0
  const [applied] = await sql<[{ count: number }]>`select count(*)::int from drizzle.__drizzle_migrations`
  return applied.count
}

/** What each role may do, as SQL that may be run again. */
function grants(): string {
  const domains = databaseRoles.filter((role) => role !== 'events')
  return [
    `revoke all on schema public from public`,
    // every function looks whether the schema is the one that it was written for
    `grant usage on schema drizzle to ${databaseRoles.join(', ')}`,
    `grant select on drizzle.__drizzle_migrations to ${databaseRoles.join(', ')}`,
    ...databaseRoles.flatMap((role) => [
      `grant usage on schema ${role} to ${role}`,
      `grant select, insert, update, delete on all tables in schema ${role} to ${role}`,
      `grant usage on all sequences in schema ${role} to ${role}`,
    ]),
    ...domains.flatMap((role) => [
      `grant usage on schema events to ${role}`,
      `grant insert on events.outbox, events.inbox to ${role}`,
      // the relay clears away answers whose day is over, without seeing them
      `grant usage on schema ${role} to events`,
      `grant delete, select (at) on ${role}.idempotency_keys to events`,
    ]),
  ].join(';\n')
}
