import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import postgres from 'postgres'
import { databaseRoles, folderOf } from '../functions/table.ts'
import { rights } from '../functions/rights.table.ts'
import { migrate } from '../functions/migrate.ts'
import { stores } from '../functions/stores.table.ts'
import { startMongo } from '../local/stores/mongodb.ts'
import { startPostgres } from '../local/stores/postgres.ts'
import { temporaryFolder } from '../local/stores/temporary.ts'

declare module 'vitest' {
  interface ProvidedContext {
    stores: { postgres: string; mongodb: string }
  }
}

/** The password of every role of the test databases, which exist only during the run. */
export const testPassword = 'test'

/** Starts real stores once for the whole run. Each test file creates its own database from the template. */
export default async function setup(project: TestProject) {
  const { folder: dir, remove } = temporaryFolder()
  const [postgresStore, mongo] = await Promise.all([
    startPostgres({ dataDir: join(dir, 'postgres'), durable: false }),
    startMongo({ dataDir: join(dir, 'mongodb'), durable: false }),
  ])
  const admin = postgres(postgresStore.url, { max: 1, onnotice: () => {} })
  await admin`drop database if exists zeroshop_template with (force)`
  await admin`create database zeroshop_template`
  await admin.end()
  const template = new URL(postgresStore.url)
  template.pathname = '/zeroshop_template'
  await migrate(
    template.href,
    databaseRoles.map((name) => ({
      name,
      password: testPassword,
      rights: rights[name]!,
      folder: `${folderOf(name)}/migrations`,
      // `events` is not a domain
      ...(stores.find(({ domain }) => domain === name) ?? { events: [], reactions: [], appendOnly: [] }),
    })),
  )
  project.provide('stores', { postgres: postgresStore.url, mongodb: mongo.url })
  return async () => {
    await Promise.all([postgresStore.stop(), mongo.stop()])
    remove()
  }
}
