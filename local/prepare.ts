/** Run as a process of its own, it reads a `Preparation` as JSON from standard input. */
import { text } from 'node:stream/consumers'
import type { DatabaseRole } from '../functions/functions.ts'
import { migrate, MigrationError } from '../functions/migrate.ts'
import { errorCode, isUnavailable } from '../functions/shared/store-errors.ts'
import { seed } from './seed.ts'

/** PostgreSQL's codes of errors. */
const sqlState = { diskFull: '53100', mayNot: '42501' }

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

if (import.meta.main)
  try {
    await prepare(JSON.parse(await text(process.stdin)) as Preparation)
  } catch (error) {
    console.error(oneLine(error) ?? error)
    process.exitCode = 1
  }

/** What went wrong, where the user can do something about it. */
function oneLine(error: unknown): string | undefined {
  if (error instanceof MigrationError) return error.message
  const code = errorCode(error)
  if (code === sqlState.diskFull)
    return 'The disk that holds the data folder is full. Free some space and start again.'
  if (code === sqlState.mayNot)
    return 'The role in DATABASE_URL may not create roles and schemas. Use one that may, or unset DATABASE_URL.'
  if (isUnavailable(error))
    return `The stores cannot be prepared: ${code ?? (error as Error).message.split('\n')[0]}. Start again.`
  return undefined
}
