import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator'
import type postgres from 'postgres'
import { sourceOf } from '../events/event.ts'
import { relayOnSecrets, secretRights, stateView, type Rights } from './event-rights.ts'
import { breakingReason, oldestVersion } from './migration-rules.ts'
import { UserError } from './shared/process/user-error.ts'
import { openClient } from './shared/store/postgres-client.ts'
import { rightsOfChecks } from './books/check-books.ts'
import { allowInsert, createMonitor, createPooler, createRole, setTimeouts } from './shared/store/roles.ts'
import {
  postgresVersion,
  refuseNewer,
  type Journal,
  type StoreVersion,
} from './shared/store/schema-version.ts'

/** A PostgreSQL schema and the role of the same name that may use it. */
export interface Schema {
  name: string
  password: string
  /** The folder of its migrations. */
  folder: string
  /** The types of the events that the role may write. */
  events: readonly string[]
  /** The reactions whose inbox rows the role may write. */
  reactions: readonly string[]
  /** The tables whose rows the role may neither change nor delete. */
  appendOnly: readonly string[]
  /** What the role may do in the schema of event delivery. */
  rights: Rights
}

/** The schema of event delivery, used by the relay and the dispatcher. */
export const eventsSchema = 'events'

/**
 * Migrates each schema to the version of this code, and grants each role access to its own schema. Domains
 * may also insert their own rows into the outbox and inbox of `events`, and have the rights there that their
 * functions need. A schema that a newer version has migrated stays unchanged. It can run repeatedly and
 * concurrently.
 * @param adminUrl logs in as a role that may create roles and schemas
 * @param schemas of the domains, and `events`
 * @param passwords of the role `pgbouncer`, if there is a pooler, and of the role `monitoring`, if there is one
 * @throws UserError if the database cannot hold every text, or a schema has migrations that this code cannot run
 *   on; then nothing was changed
 */
export async function migrate(
  adminUrl: string,
  schemas: readonly Schema[],
  passwords: { pooler?: string | undefined; monitoring?: string | undefined } = {},
): Promise<void> {
  const sql = openClient(adminUrl, {
    setting: 'ADMIN_DATABASE_URL',
    // a migration may wait for locks, and take long
    silentMs: 3_600_000,
    max: 1,
    onnotice: () => {},
    connect_timeout: 10,
  })
  try {
    await checkEncoding(sql)
    await sql`set lock_timeout = '120s'`
    await sql`select pg_advisory_lock(hashtext('zeroshop migrate'))`
    const found = new Map<string, StoreVersion>()
    for (const { name, folder } of schemas) {
      const version = await postgresVersion(sql, name)
      refuseNewer(version, tagsIn(folder).length, { store: 'PostgreSQL', domain: name })
      found.set(name, version)
    }
    for (const { name, password } of schemas) {
      await createRole(sql, name, password)
      await setTimeouts(sql, name)
    }
    if (passwords.pooler !== undefined) await createPooler(sql, passwords.pooler)
    await sql`create schema if not exists drizzle`
    await sql`create table if not exists drizzle.versions (domain text primary key, version int not null, oldest int not null)`
    // before row-level security is switched on, so that functions that are running always have their policies
    await allowEvents(sql, schemas)
    // events first, because a domain's migration may emit events
    for (const { name, folder } of schemas.toSorted((a) => (a.name === eventsSchema ? -1 : 1)))
      if (found.get(name)!.version <= tagsIn(folder).length) await migrateSchema(sql, name, folder)
    await sql.unsafe(grants(schemas))
    if (passwords.monitoring !== undefined)
      await createMonitor(sql, passwords.monitoring, (role) =>
        rightsOfChecks(
          role,
          schemas.map(({ name }) => name),
        ),
      )
    await allowEvents(sql, schemas)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Only in UTF-8 is every text stored and sorted as people expect. */
async function checkEncoding(sql: postgres.Sql): Promise<void> {
  const [{ encoding, name }] = await sql<[{ encoding: string; name: string }]>`
    select current_setting('server_encoding') as encoding, current_database() as name`
  if (encoding !== 'UTF8')
    throw new UserError(
      `The database ${name} has the encoding ${encoding}. Create one with: create database shop encoding 'UTF8' template template0.`,
    )
}

async function migrateSchema(sql: postgres.Sql, name: string, folder: string): Promise<void> {
  await adopt(sql, name, folder)
  await runMigrations(drizzle({ client: sql }), {
    migrationsFolder: folder,
    migrationsSchema: 'drizzle',
    migrationsTable: name,
  })
  const tags = tagsIn(folder)
  const breaking = tags.map(
    (tag) => breakingReason(readFileSync(join(folder, `${tag}.sql`), 'utf8')) !== undefined,
  )
  const version = { domain: name, version: tags.length, oldest: oldestVersion(breaking) }
  await sql`insert into drizzle.versions ${sql(version)}
    on conflict (domain) do update set version = excluded.version, oldest = excluded.oldest`
}

/** Returns the names of a folder's migrations, oldest first. */
function tagsIn(folder: string): string[] {
  const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')) as Journal
  return journal.entries.map(({ tag }) => tag)
}

/**
 * Marks the first migration of a schema as applied in a database from before each schema had its own
 * migrations. There, two migrations of the whole database created what the first migration of each schema
 * creates now.
 */
async function adopt(sql: postgres.Sql, name: string, folder: string): Promise<void> {
  const [known] = await sql<[{ before: string | null; own: string | null; made: string | null }]>`
    select to_regclass('drizzle.__drizzle_migrations') as before, to_regclass(${`drizzle.${name}`}) as own,
      to_regnamespace(${name}) as made`
  if (known.before === null || known.own !== null || known.made === null) return
  const [first] = readMigrationFiles({ migrationsFolder: folder })
  await sql.begin(async (tx) => {
    await tx`create table ${tx(`drizzle.${name}`)} (id serial primary key, hash text not null, created_at bigint)`
    await tx`insert into ${tx(`drizzle.${name}`)} (hash, created_at) values (${first!.hash}, ${first!.folderMillis})`
  })
}

/**
 * Lets each domain's role write its own events, and that its own reactions have handled an event. Does nothing if
 * the tables do not exist yet.
 */
async function allowEvents(sql: postgres.Sql, schemas: readonly Schema[]): Promise<void> {
  const [found] = await sql<[{ outbox: string | null }]>`select to_regclass('events.outbox') as outbox`
  if (found.outbox === null) return
  for (const { name: role, events, reactions } of schemas) {
    for (const type of events) await allowInsert(sql, role, 'events.outbox', { type, source: sourceOf(role) })
    for (const reaction of reactions) await allowInsert(sql, role, 'events.inbox', { reaction })
  }
}

/** Returns the SQL that grants each role its rights. It can run repeatedly. */
function grants(schemas: readonly Schema[]): string {
  const roles = schemas.map(({ name }) => name)
  const domains = roles.filter((role) => role !== eventsSchema)
  return [
    `revoke all on schema public from public`,
    // every function checks the version of its schema
    `grant usage on schema drizzle to ${roles.join(', ')}`,
    `grant select on drizzle.versions to ${roles.join(', ')}`,
    ...schemas.flatMap(({ name, rights }) => stateView(name, rights)),
    ...roles.flatMap((role) => [
      `grant usage on schema ${role} to ${role}`,
      `grant select, insert, update, delete on all tables in schema ${role} to ${role}`,
      `grant usage on all sequences in schema ${role} to ${role}`,
    ]),
    ...schemas.flatMap(({ name, appendOnly }) =>
      appendOnly.map((table) => `revoke update, delete, truncate on ${name}.${table} from ${name}`),
    ),
    ...relayOnSecrets,
    ...schemas.flatMap(({ name, rights }) => secretRights(name, rights)),
    ...domains.flatMap((role) => [
      `grant usage on schema ${eventsSchema} to ${role}`,
      `grant insert on ${eventsSchema}.outbox, ${eventsSchema}.inbox to ${role}`,
      // the relay deletes expired answers, but may not read them
      `grant usage on schema ${role} to ${eventsSchema}`,
      `grant delete, select (at) on ${role}.idempotency_keys to ${eventsSchema}`,
    ]),
  ].join(';\n')
}
