import type { Sql } from 'postgres'
import { roleTimeouts } from './postgres.ts'

/** Runs a DDL statement. Names and passwords cannot be parameters of DDL, so format() quotes them. */
async function execute(sql: Sql, template: string, ...values: string[]): Promise<void> {
  const [row] = await sql<[{ ddl: string }]>`select format(${template}, variadic ${values}::text[]) as ddl`
  await sql.unsafe(row.ddl)
}

/** Creates a role that may log in. If it exists, sets its password. */
export async function createRole(sql: Sql, role: string, password: string): Promise<void> {
  const [found] = await sql`select from pg_roles where rolname = ${role}`
  await execute(sql, `${found ? 'alter' : 'create'} role %I login password %L`, role, password)
}

/** Sets the timeouts of all new connections of a role, including those through a pooler. */
export async function setTimeouts(sql: Sql, role: string): Promise<void> {
  for (const [name, ms] of Object.entries(roleTimeouts))
    await execute(sql, 'alter role %I set %I = %L', role, name, String(ms))
}

/**
 * Lets a role insert rows with these values into a table with row-level security. The first value names the policy.
 * A right is never taken back, so that functions of an earlier version keep running. A policy that exists is left
 * alone, because creating one locks the table.
 */
export async function allowInsert(
  sql: Sql,
  role: string,
  table: `${string}.${string}`,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const policy = `${role} ${Object.values(values)[0]}`
  const [found] = await sql`
    select from pg_policies where schemaname || '.' || tablename = ${table} and policyname = ${policy}`
  if (found !== undefined) return
  const conditions = Object.keys(values).map(() => '%I = %L')
  await execute(
    sql,
    `create policy %I on ${table} for insert to %I with check (${conditions.join(' and ')})`,
    policy,
    role,
    ...Object.entries(values).flat(),
  )
}

/**
 * Creates the role with which PgBouncer looks up the passwords of the other roles (its `auth_query`). The
 * role may only call one function, which returns the stored verifier of a role that may log in and is not a
 * superuser.
 */
export async function createPooler(sql: Sql, password: string): Promise<void> {
  await createRole(sql, 'pgbouncer', password)
  await sql.unsafe(`
    create schema if not exists pgbouncer;
    create or replace function pgbouncer.password_of(login text) returns table (name text, password text)
      language sql stable security definer set search_path = pg_catalog
      as $$
        select rolname::text, case when rolvaliduntil < now() then null else rolpassword end
        from pg_authid where rolname = login and rolcanlogin and not rolsuper
      $$;
    revoke all on function pgbouncer.password_of from public;
    grant usage on schema pgbouncer to pgbouncer;
    grant execute on function pgbouncer.password_of to pgbouncer`)
}

/**
 * Creates the role that reads statistics, for exporters, and what checks of the books need. If the administrator may not
 * let it read all statistics, it reads those that every role may read.
 * @param rights returns the SQL of its other rights
 */
export async function createMonitor(
  sql: Sql,
  password: string,
  rights: (role: string) => readonly string[],
): Promise<void> {
  const role = 'monitoring'
  await createRole(sql, role, password)
  const [{ may }] = await sql<[{ may: boolean }]>`
    select rolsuper or pg_has_role('pg_monitor', 'usage with admin option') as may from pg_roles where rolname = current_user`
  await sql.unsafe([...(may ? [`grant pg_monitor to ${role}`] : []), ...rights(role)].join(';\n'))
}
