/** Run as a process of its own, it reads a `Preparation` as JSON from standard input. */
import { text } from 'node:stream/consumers'
import type { DatabaseRole } from '../functions/functions.ts'
import { migrate } from '../functions/migrate.ts'
import { seed } from './seed.ts'

export interface Preparation {
  /** Logs in as PostgreSQL's administrator. */
  adminUrl: string
  passwords: Record<DatabaseRole, string>
  migrations: string
  urls: { users: string; stock: string; products: string }
}

/** Brings the stores to where the shop can open: also where they already are. */
export async function prepare({ adminUrl, passwords, migrations, urls }: Preparation): Promise<void> {
  await migrate(adminUrl, passwords, migrations)
  await seed(urls)
}

if (import.meta.main) await prepare(JSON.parse(await text(process.stdin)) as Preparation)
