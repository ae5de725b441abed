/** Writes missing migrations with drizzle-kit, for each PostgreSQL schema into its own folder. */
import { join } from 'node:path'
import { run } from '../local/run.ts'
import { databaseRoles, domains, folderOf } from '../functions/table.ts'

const root = join(import.meta.dirname, '..')

/** The folder of each PostgreSQL schema, and the files that declare its tables. */
export const schemas = databaseRoles.map((role) => ({
  folder: folderOf(role),
  tables: role === 'events' ? ['tables.ts'] : (domains[role].tables ?? []),
}))

/** @param name the name of new migrations; if undefined, drizzle-kit invents one */
export async function generateMigrations(name?: string): Promise<void> {
  const drizzleKit = join(root, 'node_modules/drizzle-kit/bin.cjs')
  for (const { folder, tables } of schemas)
    await run(`Generating the migrations of ${folder}`, drizzleKit, {
      args: [
        'generate',
        '--dialect=postgresql',
        // drizzle-kit accepts one path or one glob
        `--schema=./${folder}/${tables.length === 1 ? tables[0] : `{${tables.join()}}`}`,
        `--out=./${folder}/migrations`,
        ...(name === undefined ? [] : [`--name=${name}`]),
      ],
    })
}

if (import.meta.main) await generateMigrations(process.argv[2])
